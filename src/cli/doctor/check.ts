/** One finding, and what to do about it. */
export interface Check {
  group: string;
  name: string;
  status: 'ok' | 'warn' | 'fail';
  detail: string;
  /** What the user can do about it. An `ok` finding may have one too, such as how to set up a provider. */
  fix?: string;
}

/** Makes the checks of one group. */
export function checksOf(group: string) {
  return {
    ok: (name: string, detail: string, fix?: string): Check => check(group, name, 'ok', detail, fix),
    warn: (name: string, detail: string, fix?: string): Check => check(group, name, 'warn', detail, fix),
    fail: (name: string, detail: string, fix?: string): Check => check(group, name, 'fail', detail, fix),
  };
}

function check(group: string, name: string, status: Check['status'], detail: string, fix?: string): Check {
  return { group, name, status, detail, ...(fix === undefined ? {} : { fix }) };
}
