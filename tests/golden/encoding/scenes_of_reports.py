"""The scene of a venue outside: every report, and what it brings about."""

from __future__ import annotations

from golden.encoding.scenes import DAY, MONEY, Record, Scene, instrument, request


def _execution(trade: str, order: int | None, **more: object) -> Record:
    usual: Record = {
        "trade": trade,
        "order": order,
        "sleeve": 0,
        "instrument": 0,
        "leg": "net",
        "side": "buy",
        "quantity": 10,
        "price": 10_010,
        "fee": MONEY,
        "liquidity": "taker",
    }
    return usual | more


def reports() -> Scene:
    """One share, whose orders leave."""
    scene = Scene(
        {
            "semantics": 2,
            "fund": "reports",
            "epoch": 1,
            "currencies": [{"code": "USD", "precision": 2}],
            "sleeves": [{"id": "one", "cash": 50_000 * MONEY}],
            "instruments": [instrument("BANK.XOUT")],
            "venues": [
                {
                    "id": "outside",
                    "fee": {"tiers": [{"maker": 0, "taker": 0}]},
                    "slippage": {"rate": 0},
                    "limit_fill_on_touch": False,
                    "participation_max": None,
                    "on_close_cutoff_ns": 0,
                    "remote": True,
                }
            ],
            "limits": {"price_band": 250_000_000},
        }
    )

    def report(kind: str, terms: Record, *, named: bool = True) -> None:
        scene.add("report", {kind: terms}, f"report_{kind}" * named)

    scene.ts += DAY
    scene.bar(0, [9_990, 10_030, 9_980, 10_000])
    scene.barrier()
    scene.add("submit_order", request(0, "buy", 20, tif="gtc"))
    report("accepted", {"order": 1})
    report("filled", _execution("a", 1))
    report("filled", _execution("a", 1), named=False)  # again: ignored
    scene.add("cancel_order", {"order": 1})
    report("cancel_rejected", {"order": 1})
    report("cancelled", {"order": 1})
    report("filled", _execution("b", 1, liquidity="maker"), named=False)  # too late: external
    report("busted", _execution("b", 1, liquidity="maker"))
    scene.order(0, "buy", 5)
    report("rejected", {"order": 2})
    scene.order(0, "buy", 5)
    report("expired", {"order": 3})
    scene.order(0, "buy", 5)
    report("unknown", {"order": 4})  # still so in the snapshot
    scene.add("target_portfolio", {"sleeve": 0, "targets": [(0, 500_000_000)]})
    # These wait in the snapshot, for the end of the ones before.
    scene.add("target_portfolio", {"sleeve": 0, "targets": [(0, 200_000_000)]})
    scene.snapshot("reports")
    return scene
