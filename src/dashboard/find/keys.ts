/** The view to which a letter leads after `g`. */
export const letters: Readonly<Record<string, string>> = {
  n: 'now',
  b: 'board',
  g: 'goals',
  w: 'workers',
  m: 'messages',
  j: 'jobs',
  r: 'relays',
  k: 'breakers',
  s: 'servers',
  t: 'trends',
  a: 'activity',
  ',': 'settings',
};

/** The button of a view that creates what the view shows. */
export const createButton = 'main button.primary';
