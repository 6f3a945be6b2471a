import { silentLog } from '../../base/log.js';
import { suggestIds } from '../../core/overview/suggest-ids.js';
import { chooseTools } from '../../tools/index.js';
import type { Completed } from '../options.js';
import { readSettings } from '../read-settings.js';
import { hasDatabase, withRuntime } from '../with-runtime.js';

/** A word that a shell offers. */
export interface Candidate {
  value: string;
  about: string;
}

/** The global options that say where to look, as they were typed, by attribute. */
export type TypedSettings = Readonly<Record<string, string>>;

/** The goals, tasks, jobs, tools or servers whose names begin with `word`. None are looked for in a database that is missing. */
export async function offered(kind: Completed, word: string, settings: TypedSettings): Promise<Candidate[]> {
  const { db, config: file, dataDir } = settings;
  const config = readSettings({ db, config: file, dataDir });
  if (kind === 'tool') return chooseTools(config).map(({ name, title }) => ({ value: name, about: title }));
  if (kind === 'server') return Object.keys(config.servers.used).map((value) => ({ value, about: '' }));
  if (!hasDatabase(config)) return [];
  const found = await withRuntime({ config, log: silentLog }, (runtime) => suggestIds(runtime.db, kind, word));
  return found.map(({ id, about }) => ({ value: id, about }));
}
