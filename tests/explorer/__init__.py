"""Every interleaving of small scenarios, driven through the real decisions.

    python -m tests.explorer                 all scenarios clean, all bugs found
    python -m tests.explorer pipeline -v     one scenario; the story of what it finds
    python -m tests.explorer mutants --deep  planted bugs, in larger bounds

README.md says which part is the product's code and which part is the model's.
"""
