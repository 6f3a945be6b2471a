import type { Database, Sql } from '../../src/store/sql.js';

export interface StatementCounts {
  /** Texts of statements, in order. */
  statements: string[];
  transactions: number;
}

/** What `work` asks of a database, by the statements that it gives it; begin and commit are the transaction's own. */
export async function countStatements(db: Database, work: () => Promise<unknown>): Promise<StatementCounts> {
  const counts: StatementCounts = { statements: [], transactions: 0 };
  const { all, get, run, send, transaction } = db;
  const noting = (sql: Sql): Sql => {
    const note =
      <Ask extends (text: string, ...values: never[]) => unknown>(ask: Ask) =>
      (text: string, ...values: never[]) => {
        counts.statements.push(text.replaceAll(/\s+/g, ' ').trim());
        return ask(text, ...values);
      };
    const { all, get, run, send } = sql;
    return { ...sql, all: note(all), get: note(get), run: note(run), send: note(send) } as Sql;
  };
  const noted: Partial<Database> = {
    ...noting({ all, get, run, send, alone: db.alone }),
    transaction: (body, options) => {
      counts.transactions++;
      return transaction((sql) => body(noting(sql)), options);
    },
  };
  Object.assign(db, noted);
  try {
    await work();
  } finally {
    Object.assign(db, { all, get, run, send, transaction });
  }
  return counts;
}
