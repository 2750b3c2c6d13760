"""Storage requests: what is asked, what it refers to, and the three post-storage profiles."""

from bess.storage.request import StorageRequest
from bess.storage.response import PostStorageProfile, StorageOptimizationResponse, StorageResponse
from bess.storage.run import run_request

__all__ = [
    "PostStorageProfile",
    "StorageOptimizationResponse",
    "StorageRequest",
    "StorageResponse",
    "run_request",
]
