set -x

ray job submit --address="http://127.0.0.1:8265" \
   --runtime-env-json='{"working_dir": "/openrlhf"}' \
   -- python3 -m openrlhf.cli.train_ppo_ray \
   --actor.num_nodes 1 \
   --actor.num_gpus_per_node 8 \
   --actor.model_name_or_path meta-llama/Llama-3.1-8B-Instruct \
   --algo.advantage.estimator group_norm \
   --algo.kl.use_loss \
   --algo.kl.estimator k3 \
   --algo.kl.init_coef 1e-3 \
   --actor.eps_clip_low_high 0.2 0.27 \
   --actor.adam.lr 5e-7 \
   --rollout.batch_size 128 \
   --rollout.n_samples_per_prompt 8 \
   --train.batch_size 1024 \
   --rollout.max_new_tokens 8192 \
   --data.max_len 10240 \
   --train.async_enable \
   --train.async_queue_size 2 \
   --reward.remote_url reward.py
