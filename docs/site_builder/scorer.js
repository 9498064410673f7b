// How the search orders what it finds: headings and names that are what was asked, then guides, then code and copies.
var Scorer = {
  score([page, , , , score, , kind]) {
    const asked = { title: 20, object: 5 }[kind] ?? 0;
    const first = /^(questions|tutorial)$/.test(page) ? 2 : 0;
    const last = /^((code|commands|repository|reference)\/|development$|releasing$|molgan-notes$)/.test(page) ? 4 : 0;
    return score + asked + first - last;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 8, // a word of a page's title
  partialTitle: 4,
  term: 5,
  partialTerm: 2,
};
