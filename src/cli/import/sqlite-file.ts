import { messageOf } from '../../base/errors.js';
import { loadDriver } from '../../store/sqlite/driver.js';
import { unreadable } from './source.js';

/** A database of another program, opened for reading. */
export interface ForeignDatabase {
  all(sql: string): Record<string, unknown>[];
  tables: ReadonlySet<string>;
  close(): void;
}

/** Opens a database of another program. Throws `invalid` if it is none, or lacks one of the tables. */
export async function openForeign(file: string, needed: readonly string[]): Promise<ForeignDatabase> {
  const { connect } = await loadDriver();
  try {
    const connection = connect(file, { readonly: true, fileMustExist: true });
    try {
      const all = (sql: string) => connection.prepare<[], Record<string, unknown>>(sql).all();
      const tables = new Set(
        all("select name from sqlite_master where type = 'table'").map(({ name }) => String(name)),
      );
      const missing = needed.filter((name) => !tables.has(name));
      if (missing.length > 0) throw new Error(`it has no table ${missing.join(', ')}`);
      return { all, tables, close: () => void connection.close() };
    } catch (error) {
      connection.close();
      throw error;
    }
  } catch (error) {
    throw unreadable(file, messageOf(error));
  }
}
