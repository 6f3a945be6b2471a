/** One thing looked at, and what to do about it. */
export interface Check {
  group: string;
  name: string;
  status: 'ok' | 'warn' | 'fail';
  detail: string;
  /** What makes it better; also for something that is well, but could be more. */
  mend?: string;
}

/** Makes the checks of one group. */
export function checksOf(group: string) {
  return {
    ok: (name: string, detail: string, mend?: string): Check => check(group, name, 'ok', detail, mend),
    warn: (name: string, detail: string, mend?: string): Check => check(group, name, 'warn', detail, mend),
    fail: (name: string, detail: string, mend?: string): Check => check(group, name, 'fail', detail, mend),
  };
}

function check(group: string, name: string, status: Check['status'], detail: string, mend?: string): Check {
  return { group, name, status, detail, ...(mend === undefined ? {} : { mend }) };
}
