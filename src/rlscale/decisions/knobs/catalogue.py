"""The catalogue of knobs: what published studies measured, each row with its source, its grade and its baseline.

Data and nothing else. A row is added by adding a :class:`Study`; effects of different baselines stay apart.
"""

from __future__ import annotations

from rlscale.decisions.knobs.knob import Interaction, Knob, PublishedFit, Study

__all__ = ["KNOBS", "PUBLISHED"]

_SCALERL = "ScaleRL, arXiv 2510.13786"
_ISO = "IsoCompute Playbook, arXiv 2603.12151"
_TAN = "Tan et al., arXiv 2509.25300"
_BRORL = "BroRL, arXiv 2510.01180"
_AREAL = "AReaL, arXiv 2505.24298"
_GHOSH = "Ghosh et al., arXiv 2606.30789"
_CUI = "Cui et al., arXiv 2505.22617"
_GAO = "Gao et al., arXiv 2210.10760"
_VERL = "verl documentation, rollout_corr (0c42f85a)"
#: Baselines. Effects from a weak baseline need not remain when all else of the recipe is there.
_WEAK = "a weak baseline, one knob turned on (8B, 3.5k to 7k GPU-hours)"
_FULL = "the full recipe, one knob turned back (8B, fitted to 8k, run to 16k GPU-hours)"
_SCALE = "the full recipe (8B, batch 768, 14k tokens): A .610, B 1.92, C_mid 2,542"
_EASY, _HARD = "GRPO on easy prompts (pass rate .3 to .6, Qwen2.5-7B)", "GRPO on hard prompts (pass rate up to .0625)"

KNOBS = (
    Knob(
        name="total_batch", title="total batch", settings=("total_batch", "batch_per_update"),
        aliases=("batch", "batch_size", "generation_batch_size", "train_batch_size"),
        moves=("ceiling", "speed"),
        reading="A larger batch starts slower and ends higher: compare batches only far past the smaller one's bend.",
        recipe="768 completions a step (48 prompts x 16)",
        evidence=(
            Study(f"{_SCALERL}, Table 1", "V", _SCALE, "batch 512, 768, 2,048: A .605, .610, .645; C_mid 2,818, "
                  "2,542, 10,909; B 1.77, 1.92, 1.70"),
            Study(f"{_SCALERL}, Table 1", "D", _SCALE, "batch 2,048 has earned 15 % of its gain at 4k GPU-hours, "
                  "batch 768 71 %: the smaller one leads there and loses at 100k"),
            Study(f"{_SCALERL}, sec. 5", "V", _SCALE, "small batches stagnate on downstream tasks while validation "
                  "on the training distribution still rises"),
        ),
        interacts=(
            Interaction("learning_rate", "the rate grows with the root of the batch"),
            Interaction("generations", "more rollouts for as many prompts is a larger batch"),
        ),
    ),
    Knob(
        name="generations", title="rollouts per prompt", settings=("generations",),
        aliases=("rollouts", "group_size", "num_generations", "n"), moves=("ceiling",),
        reading="Grow them with compute while the batch grows too; at a fixed batch the effect is small.",
        recipe="16",
        evidence=(
            Study(f"{_SCALERL}, Table 1", "V", f"{_SCALE}, total batch kept", "8, 16, 24, 32 rollouts: A .585, .610, "
                  ".590, .595; called second-order, in which 8 against 16 exceeds the paper's own margin of .02"),
            Study(_ISO, "V", _EASY, "the best number rises with compute and ends near 512; 2,048 gains nothing more"),
            Study(_ISO, "V", _HARD, "the best number rises with compute and ends near 128; 512 is worse"),
            Study(_ISO, "V", "other models", "Qwen3-4B ends at 64 on easy prompts and still rises at 32 on hard ones; "
                  "Llama-3.1-8B ends at 16; 128 hurts both on easy validation while training reward rises"),
            Study(_ISO, "draft", "n 64, 64 updates with a baseline of 256 samples, n 256", "n 256 is best: mostly "
                  "exploration, partly the baseline"),
            Study(_BRORL, "V", "a 1.5B model saturated after 3k steps with 16 rollouts", "512 rollouts: 61.69 to 63.03 "
                  "(16 rollouts stay at 62.02)"),
            Study(f"{_TAN}, B.2", "V", "4, 8, 16, 32 rollouts on 7B", "32 is best per sample; per FLOP the best number "
                  "grows with the budget"),
            Study(_GHOSH, "V abstract", "3 models, 2 group sizes", "the mean path does not depend on the group size to "
                  "leading order, its variance falls as 1/G"),
        ),
        contradictions=("ScaleRL calls the number second-order at a fixed batch; IsoCompute and BroRL see it raise "
                        "what is reached where the batch grows with it; Ghosh et al. see no effect on the mean path.",),
        interacts=(Interaction("batch_split", "at a fixed batch more rollouts leave fewer prompts"),
                   Interaction("learning_rate", "a batch that grows with the rollouts wants a higher rate")),
    ),
    Knob(
        name="batch_split", title="split of the batch: prompts, rollouts, updates",
        settings=("prompts_per_step", "updates_per_batch"),
        aliases=("split", "prompts", "problems", "num_prompts_per_step", "mini_batch", "ppo_mini_batch_size"),
        moves=(), recipe="48 prompts x 16 rollouts",
        reading="Second-order within a moderate range; on hard prompts about 32 prompts a step are needed.",
        evidence=(
            Study(f"{_SCALERL}, sec. 5", "V", f"{_SCALE}, total batch kept", "the split is called second-order"),
            Study(_ISO, "V", _EASY, "32 to 1,024 prompts a step differ marginally"),
            Study(_ISO, "V", _HARD, "about 32 prompts a step are needed; results at a fixed batch are noisy"),
            Study(_ISO, "draft", "1, 2, 4, 16 updates a batch", "easy 63.3, 60.8, 59.6, 59.7 %; hard 10.0, 11.4, 10.3, "
                  "10.3 %"),
        ),
        contradictions=("ScaleRL's own A of 8 and 16 rollouts at a fixed batch differ by .025, more than its margin.",),
        interacts=(Interaction("off_policy_correction", "every update after the first of a batch is off-policy"),),
    ),
    Knob(
        name="loss_type", title="policy loss", settings=("loss_type", "importance_level"),
        aliases=("loss", "cispo", "gspo", "dapo", "algorithm"), moves=("ceiling", "speed", "stability"),
        reading="CISPO and GSPO end higher than DAPO from a weak baseline; with all else in place only sooner.",
        recipe="CISPO",
        evidence=(
            Study(f"{_SCALERL}, sec. 3.2", "V", _WEAK, "DAPO to CISPO or GSPO: A rises by a large margin"),
            Study(f"{_SCALERL}, Fig. 5a", "S, 3", _WEAK, "A .520 (DAPO) to .595 (CISPO)"),
            Study(f"{_SCALERL}, sec. 4", "V", _FULL, "back to DAPO: A equal within .02; B 2.01 to 1.77 at one A"),
            Study(f"{_SCALERL}, sec. 7", "V", "the whole study", "named among the three most important decisions, with "
                  "the off-policy algorithm and the precision"),
            Study(f"{_SCALERL}, A.17", "V", _FULL, "GSPO comes close to CISPO, slightly below late; it diverged in the "
                  "middle of a run and could not be recovered on Scout"),
        ),
        contradictions=("Forward, the loss moves the ceiling; left out of the full recipe, it moves only the speed.",
                        "DAPO is reported to have the higher B in the forward ablation (one reader), the lower one "
                        "when left out (the paper's text)."),
        interacts=(Interaction("clip_bounds", "bounds mean something else in each loss"),),
    ),
    Knob(
        name="clip_bounds", title="clip bounds", settings=("clip_low", "clip_high"),
        aliases=("clip", "epsilon", "epsilon_high", "clip_ratio", "eps_clip"), moves=("ceiling", "stability"),
        reading="The upper bound matters for DAPO and hardly for CISPO; for GSPO its order of magnitude must be right.",
        recipe="CISPO with an upper bound of 4 to 8 on the importance ratio",
        evidence=(
            Study(f"{_SCALERL}, A.17.1", "V", "DAPO", "the upper bound moves A itself, with an optimum inside"),
            Study(f"{_SCALERL}, A.17", "V", "CISPO, upper bound 4, 5, 8", "insensitive"),
            Study(f"{_SCALERL}, A.17", "V", "GSPO", "insensitive once the order is right (1e-3, not 1e-4)"),
            Study(f"{_SCALERL}, A.15", "V", _WEAK, "an upper bound of .26 in DAPO: unstable from about 5k GPU-hours on "
                  "instead of 3.5k"),
        ),
        interacts=(Interaction("loss_type", "choose them for the loss"),
                   Interaction("staleness", "on-policy the ratio is 1 and no bound acts")),
    ),
    Knob(
        name="fp32_head", title="logits in FP32", settings=("fp32_head",),
        aliases=("precision_head", "lm_head", "cast_lm_head_to_fp32", "fp32"), moves=("ceiling", "stability"),
        reading="Cheap: turn it on in generator and trainer. It raises a weak baseline; the full recipe hardly.",
        recipe="on, in generator and trainer",
        evidence=(
            Study(f"{_SCALERL}, sec. 3.2", "V", _WEAK, "A .52 to .61; B does not rise"),
            Study(f"{_SCALERL}, sec. 4", "V", _FULL, "without it A is equal on 8B; Scout (17Bx16) is better with it"),
            Study(f"{_SCALERL}, A.15", "V", _WEAK, "stable to about 6k GPU-hours instead of 3.5k"),
            Study(f"{_SCALERL}, sec. 7", "V", "the whole study", "precision is named among the three most important "
                  "decisions"),
        ),
        contradictions=("It raises A by .09 from a weak baseline and not at all in the full recipe on the same 8B.",),
        interacts=(Interaction("off_policy_correction", "both answer the mismatch of generator and trainer"),),
    ),
    Knob(
        name="zero_variance_filter", title="prompts without variance left out", settings=("zero_variance_filter",),
        aliases=("filter", "dynamic_sampling", "dynamic_filtering", "filter_groups"), moves=("ceiling",),
        reading="Studies disagree: measure it on your prompts. With KL or entropy terms on hard prompts, filter those.",
        recipe="on: groups whose rewards are all equal do not count in the batch",
        evidence=(
            Study(f"{_SCALERL}, Fig. 6a", "V", _WEAK, "higher A"),
            Study(f"{_SCALERL}, sec. 4", "V", _FULL, "without it A is equal within .02"),
            Study(_ISO, "V", f"{_EASY}; {_HARD}", "off in the recipe that stays healthy, for both"),
            Study(_ISO, "V", _HARD, "leaving KL and entropy terms out on such prompts helps; no terms at all is most "
                  "stable"),
        ),
        contradictions=("ScaleRL has it in its recipe, IsoCompute leaves it off in both of its recipes.",),
        interacts=(Interaction("kl_coefficient", "groups without variance still get the KL and entropy terms"),),
    ),
    Knob(
        name="easy_prompt_filter", title="prompts that are solved dropped", settings=(),
        aliases=("no_positive_resampling", "npr", "easy_prompts", "filtering", "data_filtering"), moves=("ceiling",),
        reading="Dropping prompts once 90 % of their samples are right raised what one study reached.",
        recipe="on: prompts with a pass rate of .9 or more are not drawn again",
        evidence=(Study(f"{_SCALERL}, Fig. 6b", "V", _WEAK, "higher A"),
                  Study(f"{_SCALERL}, abstract", "V", "all recipes", "filed under efficiency")),
        contradictions=("The text sees a higher A, the abstract of the same paper files it under efficiency.",),
    ),
    Knob(
        name="curriculum", title="curriculum", settings=("difficulty",), aliases=("order", "sorting"),
        moves=(), recipe="none but the dropping of solved prompts",
        reading="No study compares orders of prompts at a ceiling: keep what your validation says.",
        evidence=(Study(f"{_SCALERL}, abstract", "V", "all recipes", "filed under efficiency, not ceiling"),
                  Study(f"{_TAN}, 3", "V", "all runs", "prompts sorted from easy to hard; no comparison given")),
        interacts=(Interaction("kl_coefficient", "the difficulty decides on KL and entropy terms"),),
    ),
    Knob(
        name="aggregation", title="aggregation of the loss", settings=("aggregation",),
        aliases=("loss_agg_mode", "averaging", "loss_aggregation"), moves=("ceiling",),
        reading="The mean over prompts was best from a weak baseline; in the full recipe the choice is not resolved.",
        recipe="mean over prompts",
        evidence=(
            Study(f"{_SCALERL}, sec. 3.2", "V", _WEAK, "the mean over prompts has the highest A"),
            Study(f"{_SCALERL}, sec. 4", "V", _FULL, "A equal within .02"),
            Study(f"{_SCALERL}, abstract", "V", "all recipes", "filed under efficiency"),
        ),
        contradictions=("The text sees a higher A, the abstract of the same paper files it under efficiency.",),
    ),
    Knob(
        name="advantage_normalisation", title="normalisation of advantages", settings=("advantage_normalisation",),
        aliases=("scale_rewards", "norm_adv_by_std_in_grpo", "normalize_rewards", "advantage_normalization"), moves=(),
        reading="By group, by batch or not at all: no difference was resolved.", recipe="by batch",
        evidence=(Study(f"{_SCALERL}, sec. 3.2", "V", _WEAK, "all similar"),
                  Study(f"{_SCALERL}, sec. 4", "V", _FULL, "all similar"),
                  Study(_SCALERL, "M", "the recipe", "normalises by batch")),
    ),
    Knob(
        name="staleness", title="bound on staleness", settings=("staleness", "asynchronous"),
        aliases=("max_staleness", "lag", "off_policy", "async", "max_trajectory_age_steps", "async_queue_size"),
        moves=("ceiling", "speed"), recipe="8 steps (PipelineRL-8)",
        reading="With a corrected loss 4 to 8 steps cost nothing that was resolved; without, the end drops.",
        evidence=(
            Study(f"{_SCALERL}, A.11", "V", "PipelineRL", "bounds of 4 and 8 are equally good; 8 adopted"),
            Study(_AREAL, "S", "naive PPO, 1.5B, AIME24", "bound 0, 1, 2, 4, 8: 42.0, 41.8, 40.0, 23.3, 35.7"),
            Study(_AREAL, "S", "decoupled PPO, 1.5B, AIME24", "bound 1, 2, 4, 8, 16: 41.8, 41.8, 42.2, 41.0, 38.7"),
            Study("verl documentation", "S", "fully asynchronous training", "a threshold below 1 is advised"),
        ),
        contradictions=("ScaleRL sees no cost up to 8; AReaL loses 19 points at 4 with naive PPO and none with a "
                        "correction.",),
        interacts=(Interaction("off_policy_correction", "a bound above 0 needs a corrected loss"),),
    ),
    Knob(
        name="pipeline", title="generation and training side by side", settings=("in_flight_updates",),
        aliases=("pipelinerl", "partial_rollout", "in_flight_weight_updates", "asynchronous_pipeline"),
        moves=("ceiling", "speed"), recipe="PipelineRL: weights are updated while generation goes on",
        reading="It saves waiting, so it is faster per GPU-hour; whether it ends higher is disputed.",
        evidence=(
            Study(f"{_SCALERL}, sec. 3.1", "V", "PPO-off-policy to PipelineRL", "B rises, A is similar"),
            Study(f"{_SCALERL}, Fig. 4a", "S", "PPO-off-policy-1, -8, PipelineRL-8", "A .520 for all; B 2.15, 2.68, "
                  "4.55"),
            Study(f"{_SCALERL} v1, A.11", "V", "PPO-off-policy to PipelineRL", "the choice shifts A, not only the "
                  "speed; the ICLR version drops the sentence and credits less waiting"),
            Study(f"{_SCALERL}, sec. 4", "V", _FULL, "back to PPO-off-policy: A equal within .02"),
            Study(f"{_SCALERL}, sec. 7", "V", "the whole study", "the off-policy algorithm is named among the three "
                  "most important decisions"),
            Study(_AREAL, "S", "synchronous training, 1.5B", "128.7k to 396.8k tokens a second"),
        ),
        contradictions=("The text of ScaleRL says that A is similar, the appendix of its first version that A moves.",
                        "ScaleRL's own measurements leave A within .02, and its conclusions rank the choice among the "
                        "three most important."),
        interacts=(Interaction("staleness", "side by side means off-policy, up to the bound"),),
    ),
    Knob(
        name="max_response_length", title="generation length", settings=("max_response_length",),
        aliases=("generation_length", "length", "max_completion_length", "max_new_tokens", "generate_max_len"),
        moves=("ceiling", "speed"), recipe="14k tokens: 12k of thinking, 2k of answer",
        reading="Longer generations start slower and end higher.",
        evidence=(
            Study(f"{_SCALERL}, Table 1", "V", _SCALE, "14k to 32k tokens: A .610 to .645, C_mid 2,542 to 11,272, "
                  "B 1.92 to 1.89"),
            Study(f"{_SCALERL}, Table 1", "D", _SCALE, "32k has earned 12 % of its gain at 4k GPU-hours, 14k 71 %"),
            Study(f"{_SCALERL}, A.15", "V", "batch 768", "10 to 15 % truncated generations mostly destabilised runs "
                  "for good; healthy 8B runs stay below 5 % for 90 % of training"),
        ),
        interacts=(Interaction("length_control", "a limit that truncates much destabilises"),),
    ),
    Knob(
        name="length_control", title="length control: penalty or interruption", settings=("mask_truncated",),
        aliases=("interruption", "length_penalty", "overlong", "mask_truncated_completions"), moves=(),
        reading="Neither was better than the other; what matters is that few generations are truncated.",
        recipe="interruptions of thinking at 10k to 12k tokens",
        evidence=(Study(f"{_SCALERL}, sec. 4", "V", _FULL, "a length penalty in place of interruptions: no gain"),),
        interacts=(Interaction("max_response_length", "the limit decides how many are truncated"),),
    ),
    Knob(
        name="kl_coefficient", title="KL term", settings=("kl_coefficient",),
        aliases=("kl", "beta", "kl_loss_coef", "init_kl_coef"), moves=("stability",), recipe="",
        reading="By difficulty: with an entropy term on easy prompts, neither on hard ones; mixed follows hard.",
        evidence=(
            Study(_ISO, "V", _EASY, "healthy with KL and entropy terms together; on easy prompts entropy collapses"),
            Study(_ISO, "V", _HARD, "healthy with neither; on hard prompts entropy explodes"),
            Study(_ISO, "V", "mixed difficulty", "use the recipe of hard prompts"),
            Study(f"{_TAN}, setup", "V", "all runs", "a coefficient of .001; no comparison given"),
            Study(_GAO, "V abstract", "reward models", "an explicit KL penalty does not improve gold reward at a given "
                  "KL"),
        ),
        contradictions=("One coefficient for all prompts has no support: easy and hard prompts want opposite ones.",),
        interacts=(Interaction("entropy_coefficient", "the two were always set together, so neither is known alone"),
                   Interaction("curriculum", "the difficulty of the prompts decides"),
                   Interaction("zero_variance_filter", "on hard prompts leave the terms out where no reward differs")),
    ),
    Knob(
        name="entropy_coefficient", title="entropy bonus", settings=("entropy_coefficient",),
        aliases=("entropy", "entropy_coef", "entropy_coeff", "entropy_loss_coef"), moves=("stability",), recipe="",
        reading="As the KL term: on easy prompts together with it, on hard and mixed ones not at all.",
        evidence=(
            Study(_ISO, "V", _EASY, "on, together with the KL term"),
            Study(_ISO, "V", _HARD, "off, together with the KL term"),
            Study(_CUI, "V abstract", "many algorithms", "reward follows R = -a exp(H) + b: entropy is spent for "
                  "reward, the ceiling is b - a"),
            Study(f"{_SCALERL}, A.12", "V", "batch 768 and 2,048", "almost one path of entropy, different rewards"),
        ),
        contradictions=("Cui et al. predict reward from entropy; ScaleRL sees one path of entropy and two rewards.",),
        interacts=(Interaction("kl_coefficient", "the two were always set together"),),
    ),
    Knob(
        name="temperature", title="sampling temperature", settings=("temperature",), aliases=("temp",), moves=(),
        reading="Not compared at a ceiling: train and evaluate at the same one, or know that they differ.", recipe="",
        evidence=(Study(_ISO, "V", "all runs", "sampled at .6; no comparison given"),
                  Study(f"{_TAN}, setup", "V", "all runs", "trained at 1.0, evaluated at .7; no comparison given")),
    ),
    Knob(
        name="learning_rate", title="learning rate", settings=("learning_rate", "lr_schedule", "warmup_steps"),
        aliases=("lr", "actor_learning_rate"), moves=("speed", "stability"),
        reading="Scale a rate that works with the root of the batch; too high a rate ends a run.",
        recipe="5e-7 at a batch of 768, constant after 100 steps of warm-up",
        evidence=(
            Study(_ISO, "V", "1e-6 at a batch of 1,024, easy prompts", "at 8,192 the root rule (2.83e-6) learns faster "
                  "than the same rate and without the instability of the linear rule; one comparison"),
            Study(_BRORL, "V", "16 to 512 rollouts", "adopts the root of the ratio of batches"),
            Study(f"{_SCALERL}, A.3", "V", "all runs", "5e-7, constant"),
            Study(f"{_TAN}, setup", "V", "all runs", "1e-6 at a batch of 512, constant"),
        ),
        contradictions=("ScaleRL keeps 5e-7 at batches of 512 to 2,048, where the root rule has 4.1e-7 to 8.2e-7: it "
                        "neither supports nor refutes the rule.",),
        interacts=(Interaction("total_batch", "lr = anchor x sqrt(batch / anchor batch)"),),
    ),
    Knob(
        name="data_reuse", title="data reuse", settings=("data_passes", "epochs"),
        aliases=("num_train_epochs", "total_epochs", "num_iterations", "ppo_epochs", "num_episodes", "reuse"),
        moves=("ceiling",), recipe="",
        reading="A few tens of passes over the prompts cost nothing on one setup; a small set overfits and wants fewer "
        "rollouts.",
        evidence=(
            Study(f"{_TAN}, Fig. 7", "V", "7B, about 100 steps, total samples kept", "no significant loss up to 25 "
                  "passes, a mild one at 50, overfitting at 100"),
            Study(_ISO, "V", _EASY, "500 prompts: the best number of rollouts is 256, with 6,000 it is 512"),
            Study("Nimmaturi et al., arXiv 2507.18014", "V abstract", "LoRA, 3B to 8B", "the plateau begins at 40 % of "
                  "a pass in one version of the paper, at 80 % in another"),
        ),
        contradictions=("Nimmaturi et al. see a plateau within the first pass; Tan et al. still learn after 25.",
                        "What counts is the number of optimisation steps in one version of Tan et al., the number of "
                        "samples with repeats in another; never tokens."),
    ),
    Knob(
        name="off_policy_correction", title="correction of off-policy samples", settings=("off_policy_correction",),
        aliases=("tis", "importance_sampling_correction", "rollout_is", "is_correction", "mismatch"),
        moves=("ceiling", "stability"), recipe="the truncated importance ratio of CISPO",
        reading="Needed as soon as generator and trainer differ: another engine, another precision, an older policy.",
        evidence=(
            Study(_AREAL, "S", "naive PPO, bound 4", "23.3 without, 42.2 with a decoupled loss"),
            Study(_VERL, "V", "token-level truncation", "thresholds of 1.5 to 5, 2 by default; a mean weight below .5 "
                  "or above 2, or an effective sample size below .3, is a warning"),
            Study("arXiv 2605.14220", "V abstract", "a control without mismatch", "tiny disagreements of tokens alone "
                  "can collapse training"),
        ),
        interacts=(Interaction("staleness", "the staler the samples, the more it matters"),
                   Interaction("fp32_head", "both answer the mismatch of generator and trainer")),
    ),
    Knob(
        name="adam_epsilon", title="epsilon of the optimiser", settings=("adam_epsilon", "weight_decay"),
        aliases=("eps", "optimiser_epsilon", "optimizer_epsilon", "adam_eps"), moves=(),
        reading="Stated in one recipe and compared in none.",
        recipe="1e-15 (AdamW, weight decay .01)",
        evidence=(Study(f"{_SCALERL}, A.3", "V", "all runs", "1e-15, weight decay .01; no comparison given"),),
    ),
)  # fmt: skip

#: ScaleRL, Table 1 (read in the paper): the recipe, and with one knob turned. Fitted to half of each run.
PUBLISHED = (
    PublishedFit("", "as published", 0.610, 1.92, 2542.0),
    PublishedFit("total_batch", "batch 512", 0.605, 1.77, 2818.0),
    PublishedFit("total_batch", "batch 2,048", 0.645, 1.70, 10909.0),
    PublishedFit("max_response_length", "32k tokens", 0.645, 1.89, 11272.0),
    PublishedFit("generations", "8 rollouts", 0.585, 2.44, 2542.0),
    PublishedFit("generations", "24 rollouts", 0.590, 2.22, 3054.0),
    PublishedFit("generations", "32 rollouts", 0.595, 2.07, 2936.0),
)
