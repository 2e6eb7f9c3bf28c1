"""The parts of the comparison of systems, and rows as training and scoring leave them."""

from tools_for_tests import from_tools

from tfsepgan.evaluation.records import Report, TrackScores, save_track, write_json

rows_of, sets_of, statistics, tables, work = (
    from_tools(f"comparison_{name}") for name in ("rows", "sets", "statistics", "table", "work")
)
tool = from_tools("compare_systems")


def trial_of(name, seed=0):
    return rows_of.Trial(next(row for row in rows_of.ROWS if row.name == name), seed)


def trained(comparison, trial, *, steps=10):
    """What a trained row leaves."""
    plan = {"settings": comparison.settings(trial), "steps": steps, "budget_seconds": 1800}
    write_json(comparison.of(trial, "plan.json"), plan)
    numbers = {
        "steps": steps,
        "planned_steps": steps,
        "processor_minutes": 29.0,
        "window": 32768,
        "batch": 8,
    }
    numbers |= {"windows_a_processor_second": 4.0, "commits": ["abc"], "hardware": "a desk"}
    write_json(comparison.of(trial, "trained.json"), numbers)
    comparison.of(trial, "run", "model").mkdir(parents=True)
    comparison.of(trial, "run", "model", "weights").write_bytes(trial.name.encode())


def scored(comparison, trial, gains, files=("a", "a", "b")):
    """Scores of three mixtures of two recordings, as an evaluation leaves them."""
    for one in comparison.sets:
        tracks = []
        for number, (gain, file) in enumerate(zip(gains, files, strict=True)):
            kinds = {
                kind: dict.fromkeys(
                    ("si_sdr", "sdr", "sir", "sar", "frechet", "spectral_tilt"), 1.0
                )
                for kind in ("mixture", "model", "oracle")
            }
            for kind, more in (("model", gain), ("oracle", 12.0)):
                kinds[kind] |= {
                    "si_sdr_improvement": more,
                    "low_bins": 1.0,
                    "log_spectral_distance": 12.0 - more,
                }
            track = {
                "name": f"m{number}",
                "file": f"m{number}.json",
                "sample_rate_hz": 16000,
                "seconds": 10,
            }
            scores = {"piano": kinds, "residual": kinds}
            tracks.append(TrackScores(**track, channels=1, scores=scores, target_file=file))
            save_track(comparison.of(trial, "scores", one.name), tracks[-1])
        report = Report(
            sources=("piano", "residual"), settings={}, mixtures=len(tracks), tracks=tuple(tracks)
        )
        report.save(comparison.of(trial, "scores", one.name))
        stamp = comparison.of(trial, "scores", one.name, "computed_from.json")
        write_json(stamp, comparison.computed_from(trial, one))


def done(comparison, name, gains, *, seed=0, **more):
    trained(comparison, trial_of(name, seed))
    scored(comparison, trial_of(name, seed), gains, **more)
