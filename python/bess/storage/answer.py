"""The three post-storage profiles and the flows of a dispatch, as the answer to its request."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

from bess.economics import Savings
from bess.result import Result
from bess.storage.request import StorageRequest
from bess.storage.response import (
    PolicyViolation,
    PostStorageProfile,
    ProfileSource,
    StorageOptimizationResponse,
    StorageResponse,
)

__all__ = ["answer", "request_id"]


def request_id(request: StorageRequest) -> str:
    """An id made from what is asked of the profiles: the same request has the same id, another has
    another."""
    asked = request.model_dump(mode="json", by_alias=True, exclude={"savings"})
    text = json.dumps(asked, sort_keys=True)
    return str(UUID(bytes=hashlib.sha256(text.encode()).digest()[:16]))


def answer(
    request: StorageRequest,
    result: Result,
    assumptions: list[str],
    currency: str | None,
    savings: Savings | None = None,
) -> StorageResponse:
    """The answer to a request that was dispatched (SPEC section 7)."""
    identity = request_id(request)
    timeline = result.site.timeline
    when: dict[str, Any] = {
        "from_date_time": timeline.instant(0).isoformat(),
        "time_zone": timeline.time_zone,
        "duration": 1000 * timeline.step_seconds,
    }

    def profile(suffix: str, name: str, imports: Any, exports: Any = None) -> PostStorageProfile:
        return PostStorageProfile(
            profile_id=f"{identity}-{suffix}",
            provider_profile_id=f"{request.provider_profile_id or identity}-{suffix}",
            profile_name=f"{request.profile_name or identity} - {name}",
            account_id=request.account_id,
            provider_account_id=request.provider_account_id,
            source=ProfileSource(request_id=identity),
            data_series=imports,
            export_data_series=exports,
            **when,
        )

    return StorageResponse(
        request_id=identity,
        profiles=[
            profile("usage", "Post-storage grid imports to site", result.grid_to_site_kwh_ac),
            profile("solar", "Post-storage grid exports from solar", result.solar_to_grid_kwh_ac),
            profile(
                "storage",
                "Grid imports and exports to and from battery",
                result.grid_to_battery_kwh_ac,
                result.battery_to_grid_kwh_ac,
            ),
        ],
        storage_optimization_response=StorageOptimizationResponse(**when, **result.flows),
        cost=result.cost,
        degradation_cost=None if result.cost is None else result.degradation_cost,
        currency=currency,
        violations=[
            PolicyViolation(
                device=missed.device,
                timestamp=missed.timestamp.isoformat(),
                minimum=missed.minimum,
                maximum=missed.maximum,
                state_of_charge=missed.state_of_charge,
            )
            for missed in result.violations
        ],
        assumptions=assumptions,
        result=result,
        savings=savings,
    )
