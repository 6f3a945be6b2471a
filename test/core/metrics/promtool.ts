import { spawnSync } from 'node:child_process';

/** Prometheus's own checker of its text format: from the PATH, else installed where Debian's packages can be; else why not. */
export function findPromtool(): { path: string } | { problem: string } {
  if (isThere()) return { path: 'promtool' };
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return { problem: 'there is no promtool on the PATH' };
  const install = 'apt-get install -y -qq --no-install-recommends prometheus';
  const command = `${install} || (apt-get update -qq && ${install})`;
  const { error, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', timeout: 180_000 });
  if (isThere()) return { path: 'promtool' };
  return { problem: `promtool could not be installed: ${error?.message ?? stderr.trim().split('\n').at(-1)}` };
}

function isThere(): boolean {
  return spawnSync('promtool', ['--version']).status === 0;
}

/** What the checker says of a text; nothing when all is well. */
export function checkWith(path: string, text: string): { status: number | null; says: string } {
  const { status, stderr } = spawnSync(path, ['check', 'metrics'], { input: text, encoding: 'utf8' });
  return { status, says: stderr.trim() };
}
