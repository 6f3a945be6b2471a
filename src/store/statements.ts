import type { Connection, PreparedStatement } from './driver.js';
import type { Value } from './sql.js';

export interface Statements {
  all<Row>(text: string, values: readonly Value[]): Row[];
  get<Row>(text: string, values: readonly Value[]): Row | undefined;
  run(text: string, values: readonly Value[]): number;
}

/** One prepared statement a text, because preparing costs more than running; the texts are few and fixed. */
export function statementsOf(connection: Connection): Statements {
  const prepared = new Map<string, PreparedStatement>();
  function statement(text: string): PreparedStatement {
    let known = prepared.get(text);
    if (!known) {
      known = prepare(connection, text);
      prepared.set(text, known);
    }
    return known;
  }
  return {
    all: <Row>(text: string, values: readonly Value[]) => statement(text).all(...values) as Row[],
    get: <Row>(text: string, values: readonly Value[]) => statement(text).get(...values) as Row | undefined,
    run: (text, values) => statement(text).run(...values).changes,
  };
}

/** Without the check, a write that was sent to the reader would look like a disk that cannot be written to. */
function prepare(connection: Connection, text: string): PreparedStatement {
  const statement = connection.prepare<unknown[]>(text);
  if (connection.readonly && !statement.readonly) {
    throw new Error(`Only run() and transactions write; all() and get() were given: ${text}`);
  }
  return statement;
}
