const fields = 'ti|au|abs|co|jr|cat|rn|id|all|submittedDate|lastUpdatedDate';
const hasField = new RegExp(`(?:^|[\\s(])(?:${fields}):\\S`);
const operators = new Set(['AND', 'OR', 'ANDNOT']);

/**
 * What a person types as arXiv's `search_query` (arXiv API User's Manual, 5.1): each word and each "phrase" must occur
 * somewhere, unless AND, OR or ANDNOT stands between. A query that names fields is left as it is.
 */
export function toSearchQuery(text: string): string {
  if (hasField.test(text.replace(/"[^"]*"/g, '"phrase"'))) return text;
  const terms = (text.match(/"[^"]*"|[^\s"]+/g) ?? []).map(toTerm).filter((term) => term !== '');
  return terms.map((term, index) => joint(terms[index - 1], term) + term).join('');
}

function toTerm(word: string): string {
  if (operators.has(word)) return word;
  const bare = word.replaceAll('"', '').trim();
  // A sign that means something in the query language ends the search with an error, unless it is in a phrase.
  const isPhrase = word.startsWith('"') || /[():[\]]/.test(bare);
  if (!/[\p{L}\p{N}]/u.test(bare)) return '';
  return isPhrase ? `all:"${bare}"` : `all:${bare}`;
}

function joint(before: string | undefined, term: string): string {
  if (before === undefined) return '';
  return operators.has(before) || operators.has(term) ? ' ' : ' AND ';
}
