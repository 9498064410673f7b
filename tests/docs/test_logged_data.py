"""docs/logged-data.md: its tables are what was measured."""

from tests.helpers.pages import Page, number, read_csv

PAGE = Page("docs/logged-data.md")
WORST_TO_BEST = "policies, from the worst to the best"
AT_THE_END = "difference from the controller at the end, from the worst to the best"


def test_the_table_of_policies_from_a_log_alone_is_what_was_measured():
    rows = read_csv("results/logged_data/table.csv")
    table = PAGE.table("log", "imitation", "controller", WORST_TO_BEST, "better", "within 10 %")
    assert len(table) == len({(row["log"], row["imitation"]) for row in rows})
    for line in table:
        own = [
            row for row in rows if row["log"] == line["log"] and float(row["imitation"]) == number(line["imitation"])
        ]
        digits = 1 if line["log"] == "PI controller" else 0
        assert line["controller"] == f"{float(own[0]['controller']):.{digits}f}"
        policies = sorted(float(row["policy"]) for row in own)
        assert line[WORST_TO_BEST] == ", ".join(f"{policy:,.{digits}f}" for policy in policies)
        better = sum(float(row["difference"]) > float(row["half_width"]) for row in own)
        assert line["better"] == f"{better} of {len(own)}"
        assert line["within 10 %"] == f"{sum(float(row['shortfall']) <= 0.1 for row in own)} of {len(own)}"


def test_the_table_of_own_steps_is_what_was_measured():
    rows = read_csv("results/logged_data/table.csv")
    for line in PAGE.table("task", "start", "-160 after steps", AT_THE_END):
        own = [row for row in rows if (row["task"], row["start"]) == (line["task"], line["start"])]
        digits = 0 if line["task"] == "Pendulum-v1" else 2
        assert line[AT_THE_END] == ", ".join(
            f"{final:.{digits}f}" for final in sorted(float(row["final_difference"]) for row in own)
        )


def test_the_table_of_starts_from_another_run_is_what_was_measured():
    rows = read_csv("results/start_from/table.csv")
    for line in PAGE.table("start", "-200 after steps, seed by seed", "last return"):
        own = [row for row in rows if row["start"] == line["start"]]
        firsts = [f"{int(row['steps_to_level']):,}" if row["steps_to_level"] else "none" for row in own]
        assert line["-200 after steps, seed by seed"] == ", ".join(firsts)
        assert line["last return"] == ", ".join(f"{float(row['last']):,.0f}" for row in own)
