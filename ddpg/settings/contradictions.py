"""Settings that contradict one another; each interval alone is checked where its setting is declared."""

from typing import Any

from ddpg.errors import RequestError
from ddpg.settings.setting import text_of


def refuse_contradictions(config: Any) -> None:
    """Raise `RequestError` if two values of a `ddpg.config.Config` contradict each other."""
    if config.batch_size > config.buffer_size:
        raise RequestError(
            f"{config.batch_size} is more than the replay buffer holds ({config.buffer_size}); "
            "use a smaller minibatch or a larger --buffer-size",
            "batch_size",
        )
    if config.steps == 0 and not config.data_updates:
        raise RequestError("no steps and no updates train nothing; use at least 1, or --data-updates", "steps")
    if config.data_updates and not (config.data or config.start_from_data):
        raise RequestError("there is nothing to learn from before the first step; use --data", "data_updates")
    if config.warm_up_controller and not config.learning_starts:
        raise RequestError("there are no first steps for it; use --learning-starts", "warm_up_controller")
    if config.num_envs is None and config.env_timeout is not None:
        raise RequestError("needs --num-envs: a step in this process cannot be interrupted", "env_timeout")
    if config.num_envs is not None and config.evaluate_in_training_task:
        raise RequestError(
            "cannot be combined with --num-envs: each of the simulators makes an instance for training and one for "
            "evaluations",
            "evaluate_in_training_task",
        )
    if len(config.start_from) > 1:
        raise RequestError("a run can start from one other run only; give one folder", "start_from")
    for name in ("start_from_best", "start_from_data"):
        if getattr(config, name) and not config.start_from:
            raise RequestError("there is no run to start from; use --start-from DIR", name)
    if config.imitation and not config.data:
        raise RequestError("there are no logged actions to imitate; use --data", "imitation")
    if config.learning_rate_decay_steps is not None and config.learning_rate_decay_steps <= config.first_update_step:
        raise RequestError(
            "the learning rates would be zero from the first update on; "
            f"use more than {config.first_update_step} steps",
            "learning_rate_decay_steps",
        )
    if config.learning_rate_decay_steps is not None and not config.train_frequency and config.gradient_steps > 1:
        raise RequestError(
            "how many updates there are until a step is not known with --train-frequency episode and "
            f"--gradient-steps {config.gradient_steps}; use a number of steps for --train-frequency",
            "learning_rate_decay_steps",
        )
    if config.target_limits and config.target_limits[0] >= config.target_limits[1]:
        raise RequestError(f"LOW must be less than HIGH, got {text_of(config.target_limits)}", "target_limits")
    if config.batch_normalization and config.layer_normalization != "none":
        raise RequestError(
            "the hidden layers can have batch or layer normalization, not both; use --no-batch-normalization",
            "layer_normalization",
        )
    if config.batch_normalization and config.batch_size == 1:
        raise RequestError(
            "batch normalization over a single transition turns every state into zeros; use at least 2, "
            "or --no-batch-normalization",
            "batch_size",
        )
