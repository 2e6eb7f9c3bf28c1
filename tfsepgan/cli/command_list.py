"""The commands: `tfsepgan NAME` and `tfsepgan-NAME` run `tfsepgan/cli/NAME.py`.

`setup.py` reads this file as text: the table is the last statement, of strings alone.
"""

COMMANDS = {
    "separate": "take the sources out of recordings",
    "train": "train a system; the same command resumes",
    "evaluate": "score a model on mixtures or songs",
    "export": "write a model as SavedModel and TFLite",
    "web": "write a page that separates in the browser",
    "live": "separate a sound device while the music plays",
    "data": "check, preview, make, pack and serve recordings",
    "generate": "make sounds with a model that synthesizes",
    "tune": "search the settings of a system",
    "refine": "average weights, soften masks, make models smaller, compare",
}
