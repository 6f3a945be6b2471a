import { isDeepStrictEqual } from 'node:util';
import { RuntimeError } from '../../base/errors.js';
import { type ConfigFormat, type Path, SyntaxProblem, UnusualForm } from './formats/config-format.js';

/** A part of a config: plain values by name. */
export type Fields = { readonly [name: string]: unknown };

/** Where the server is, or will be, in a client's config text. */
export interface ServerPlace {
  /** The file's path, for errors. */
  file: string;
  format: ConfigFormat;
  /** The names that lead to the servers. */
  serversPath: Path;
  name: string;
}

export interface Merge extends ServerPlace {
  /** What the entry must hold. */
  entry: Fields;
  /** What a new entry holds beside it; the user may have changed it since. */
  defaults?: Fields;
  /** Items that a list of the config needs, known by their `id`. */
  listItems?: { path: Path; items: readonly { id: string }[] };
}

export interface Merged {
  text: string;
  status: 'added' | 'updated' | 'unchanged';
}

/**
 * Adds the server to a client's config text, or brings its entry up to date. Every other character is kept, also what the
 * user has added to the entry. Throws `invalid` for a text that cannot be read or that cannot be changed without harm.
 */
export function mergeServer(text: string, { entry, defaults = {}, listItems, ...place }: Merge): Merged {
  return throughFormat(text, place, (bare, root) => {
    const before = entryOf(root, place);
    const path = [...place.serversPath, place.name];
    const after = before ? mergeFields(before, entry) : { ...entry, ...defaults };
    const items = listItems ? missingItems(root, listItems) : [];
    const isUnchanged = isDeepStrictEqual(before, after) && items.length === 0;
    const status = before === undefined ? 'added' : isUnchanged ? 'unchanged' : 'updated';
    let changed = bare;
    let expected = root;
    for (const { at, value } of before ? changesOf(before, after, path) : [{ at: path, value: after }]) {
      changed = place.format.set(changed, at, value);
      expected = withValue(expected, at, value);
    }
    if (listItems && items.length > 0) {
      changed = place.format.set(changed, listItems.path, items);
      expected = withValue(expected, listItems.path, items);
    }
    return { text: changed, expected, status };
  });
}

export interface Removed {
  text: string;
  status: 'removed' | 'unchanged';
}

/** Removes the server from a client's config text, and nothing else. Throws `invalid` as `mergeServer` does. */
export function removeServer(text: string, place: ServerPlace): Removed {
  return throughFormat(text, place, (bare, root) => {
    const { [place.name]: found, ...others } = serversOf(root, place);
    if (found === undefined) return { text: bare, expected: root, status: 'unchanged' };
    const changed = place.format.remove(bare, [...place.serversPath, place.name]);
    return { text: changed, expected: withValue(root, place.serversPath, others), status: 'removed' };
  });
}

/** The servers of a config text by name, empty if it has none. Throws `invalid` for a text that cannot be read. */
export function readServers(text: string, place: Omit<ServerPlace, 'name'>): Fields {
  return serversOf(readRoot(withoutMark(text).bare, place), place);
}

/** Edits the text without its byte order mark, and holds the result to what it should mean. */
function throughFormat<Status extends string>(
  text: string,
  place: ServerPlace,
  edit: (bare: string, root: Fields) => { text: string; expected: Fields; status: Status },
): { text: string; status: Status } {
  const { mark, bare } = withoutMark(text);
  const root = readRoot(bare, place);
  return unlessUnusual(place.file, () => {
    const { text: changed, expected, status } = edit(bare, root);
    if (changed !== bare) {
      const found = withoutEmpty(place, rootOf(changed, place));
      if (!isDeepStrictEqual(found, withoutEmpty(place, expected))) throw new UnusualForm();
    }
    return { text: mark + changed, status };
  });
}

function withoutMark(text: string): { mark: string; bare: string } {
  return text.startsWith('\uFEFF') ? { mark: '\uFEFF', bare: text.slice(1) } : { mark: '', bare: text };
}

function readRoot(text: string, place: Pick<ServerPlace, 'file' | 'format'>): Fields {
  try {
    return rootOf(text, place);
  } catch (error) {
    if (error instanceof SyntaxProblem) throw wrong(place.file, `cannot be read: ${error.message}`);
    throw error;
  }
}

function rootOf(text: string, { file, format }: Pick<ServerPlace, 'file' | 'format'>): Fields {
  const root = format.parse(text);
  if (isFields(root)) return root;
  throw wrong(file, 'holds a value, but no names with values');
}

function serversOf(root: Fields, { file, serversPath }: Omit<ServerPlace, 'name'>): Fields {
  let found: unknown = root;
  for (const name of serversPath) found = isFields(found) ? found[name] : undefined;
  if (found === undefined || found === null) return {};
  if (isFields(found)) return found;
  throw wrong(file, `has ${JSON.stringify(serversPath.join('.'))}, but it is not an object`);
}

function entryOf(root: Fields, place: ServerPlace): Fields | undefined {
  const entry = serversOf(root, place)[place.name];
  if (entry === undefined) return undefined;
  if (isFields(entry) && !('url' in entry) && !('uri' in entry)) return entry;
  throw wrong(place.file, `has another kind of server under the name ${JSON.stringify(place.name)}`);
}

/** Objects are merged, such as variables; everything else is replaced. */
export function mergeFields(before: Fields, wanted: Fields): Fields {
  const merged = Object.entries(wanted).map(([name, value]) => {
    const old = before[name];
    return [name, isFields(old) && isFields(value) ? mergeFields(old, value) : value] as const;
  });
  return { ...before, ...Object.fromEntries(merged) };
}

/** The places of an entry that differ, as deep as both have objects. */
function changesOf(before: Fields, after: Fields, path: Path): { at: Path; value: unknown }[] {
  return Object.entries(after).flatMap(([name, value]) => {
    const old = before[name];
    const at = [...path, name];
    if (isDeepStrictEqual(old, value)) return [];
    return isFields(old) && isFields(value) ? changesOf(old, value, at) : [{ at, value }];
  });
}

/** The whole list, if it lacks one of the items. */
function missingItems(root: Fields, { path, items }: NonNullable<Merge['listItems']>): unknown[] {
  const [name = ''] = path;
  const found = root[name];
  const list: unknown[] = Array.isArray(found) ? found : [];
  const missing = items.filter(({ id }) => !list.some((item) => isFields(item) && item.id === id));
  return missing.length === 0 ? [] : [...list, ...missing];
}

function withValue(root: Fields, [name, ...rest]: Path, value: unknown): Fields {
  if (name === undefined) return isFields(value) ? value : root;
  const below = root[name];
  return { ...root, [name]: rest.length === 0 ? value : withValue(isFields(below) ? below : {}, rest, value) };
}

/** TOML and YAML have no empty objects where nothing is left of one; that is no difference. */
function withoutEmpty({ serversPath: [name = ''] }: ServerPlace, root: Fields): Fields {
  const { [name]: servers, ...others } = root;
  const isEmpty = servers === undefined || servers === null || (isFields(servers) && Object.keys(servers).length === 0);
  return isEmpty ? others : root;
}

function unlessUnusual<Result>(file: string, edit: () => Result): Result {
  try {
    return edit();
  } catch (error) {
    if (!(error instanceof UnusualForm || error instanceof SyntaxProblem)) throw error;
    throw wrong(file, 'has its servers in a form that cannot be changed in place');
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function wrong(file: string, what: string): RuntimeError {
  return new RuntimeError(
    'invalid',
    `${file} ${what}. Nothing was changed.`,
    'Correct the file, or change the entry by hand: `install` with --print shows it.',
  );
}
