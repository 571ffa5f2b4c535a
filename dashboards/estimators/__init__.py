"""From settled frames and machine counts to totals with intervals: pure functions over arrays.

strata → sampling → proxy → totals → stopping is the way of a figure; `units` and `season` hold what
is not a total of the observed period. Knows no database, no lake and no class of box: counts of
any class come in as numbers. docs/attendance.md says what was measured of it.
"""
