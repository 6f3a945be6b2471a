/** An address of the page with its filters, under a name that a person gave it. This browser keeps it. */
export interface SavedView {
  name: string;
  address: string;
}

const key = 'saved-views';
const mostViews = 50;

/** Those that were saved, by name. What is stored otherwise is none. */
export function savedViews(): SavedView[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(stored) ? stored.filter(isSavedView) : [];
  } catch {
    return [];
  }
}

const isSavedView = (value: unknown): value is SavedView =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'address' in value &&
  typeof value.address === 'string' &&
  /^\/[^/]/.test(value.address);

/** Saves an address; one with the same name is replaced. */
export function saveView(view: SavedView): void {
  store([...savedViews().filter(({ name }) => name !== view.name), view]);
}

export const forgetView = (gone: string): void => store(savedViews().filter(({ name }) => name !== gone));

function store(views: readonly SavedView[]): void {
  const sorted = [...views].slice(-mostViews).sort((one, other) => one.name.localeCompare(other.name));
  localStorage.setItem(key, JSON.stringify(sorted));
}
