"""Which CUDA GPUs this machine has."""


def gpu_names() -> list[str]:
    """Names of the GPUs that this process may use, by CUDA's number; [] where there is none."""
    import torch

    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
