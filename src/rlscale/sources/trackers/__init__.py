"""Trackers: what TensorBoard, Weights & Biases, MLflow and Trackio keep of a run, as records."""
