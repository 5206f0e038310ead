"""A training script as people write them; it is read and never run."""

from trl import GRPOConfig, GRPOTrainer

GENERATIONS = 8
common = {"bf16": True, "logging_steps": 1}

raise SystemExit("this file is never executed")

training_args = GRPOConfig(
    output_dir="out",
    learning_rate=5e-6,
    num_generations=GENERATIONS,
    per_device_train_batch_size=2 * GENERATIONS,
    max_completion_length=1024,
    run_name=f"grpo-{GENERATIONS}",
    beta=0.0,
    **common,
)
trainer = GRPOTrainer(model="Qwen/Qwen2.5-1.5B-Instruct", args=training_args)
