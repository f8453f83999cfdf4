"""Every limit, at n - 1, n and n + 1; `test_table.py` holds that none is left out."""
