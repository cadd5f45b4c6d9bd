"""The methods in words, with where they come from, for the end of the page."""

from typing import Final

_TEXT: Final = """
Placement. Each allocation of a host onto hardware is a placement (status.placement.epoch). Trials on one placement
share its luck, so placements are the unit of replication: scores on one placement are averaged before any test
(Hurlbert, Ecological Monographs 54, 1984). Another placement may by chance be on the same machine again; the cloud
does not say.

Variance. Score = configuration + placement + noise, configurations fixed, placements random: Henderson's Method III
(Biometrics 9, 1953; Searle, Casella, McCulloch, Variance Components, 1992), with one configuration the one-way
random-effects analysis and ICC(1). The interval of the share is exact by Wald's F test for unequal numbers (Annals of
Mathematical Statistics 11, 1940; Seely, El-Bassiouni, Annals of Statistics 11, 1983); with equal numbers it is that
of McGraw and Wong (Psychological Methods 1, 1996). The noise within takes in how differently configurations do on
different placements.

Test. Where both configurations were measured on the same three or more placements (at least half of those that the
smaller of the two has): the paired t-test on the placements' differences. Else: Welch's t-test on the placements'
means (Biometrika 34, 1947). Both are two-sided at 5 % and take the placements' means as roughly normal.

Best of several. The best was picked because it looks good, so it looks better than it is. P values and intervals are
corrected by Bonferroni (Dunn, Journal of the American Statistical Association 56, 1961) for all configurations that
it could have been; if the baseline is the second best, for all pairs.

Effect size. Hedges' g (Journal of Educational Statistics 6, 1981): the difference in standard deviations, of the
differences if paired, else pooled over placements; its interval by the noncentral t distribution (Steiger, Fouladi,
1997). Power by the same distribution (Cohen, 1988).

What it cannot see. A drift over time that goes along with the order of the trials; and trials that were added because
of what an earlier report said. A test that does not find a difference has not shown that there is none.
"""
METHODS: Final = tuple(" ".join(paragraph.split()) for paragraph in _TEXT.strip().split("\n\n"))
"""One string a paragraph."""
