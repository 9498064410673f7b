"""What the site needs beyond Sphinx: generated pages, links that lead out of docs/, docstrings, formulas."""
