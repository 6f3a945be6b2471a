import { execFileSync, spawnSync } from 'node:child_process';

/** A host: processes with a network of their own, on one line to all others. */
export interface NetworkHost {
  name: string;
  /** What runs a program there, before its name and arguments. */
  prefix: readonly string[];
  /** Takes its line down: no packet leaves it or reaches it, and nobody is told. */
  cut(): void;
  heal(): void;
  /** As a machine whose power goes: its line first, so that nobody hears of it, then all of its processes. */
  kill(): Promise<void>;
  pids(): number[];
}

/** Where the database listens: this process's own network, which the hosts reach by a bridge. */
export const serverAddress = '10.83.0.1';

/** Why hosts cannot be made here; undefined if they can. */
export function whyNoHosts(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  for (const [program = '', ...args] of [['ip', '-V'], apart('true')]) {
    const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) return `\`${[program, ...args].join(' ')}\` fails: ${error?.message ?? stderr.trim()}`;
  }
  return undefined;
}

/**
 * A command with a network, mounts and processes of its own: when it ends, or `unshare` is killed, all of its processes end,
 * and the hosts that it has made are gone. The shell collects processes that nobody else waits for.
 */
export const apart = (...command: string[]): string[] => [
  ...['unshare', '--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'],
  ...['sh', '-c', '"$@" & wait $!', 'sh', ...command],
];

/** Makes hosts, in a process that `apart` has started. */
export function makeHosts(names: readonly string[]): NetworkHost[] {
  // Names of networks are files, which the machine's other processes are not to see.
  run('mkdir', '-p', '/run/netns');
  run('mount', '-t', 'tmpfs', 'none', '/run/netns');
  run('ip', 'link', 'set', 'lo', 'up');
  run('ip', 'link', 'add', 'bridge', 'type', 'bridge');
  run('ip', 'address', 'add', `${serverAddress}/24`, 'dev', 'bridge');
  run('ip', 'link', 'set', 'bridge', 'up');
  return names.map((name, index) => makeHost(name, `10.83.0.${10 + index}/24`));
}

function makeHost(name: string, address: string): NetworkHost {
  const line = `to-${name}`;
  run('ip', 'netns', 'add', name);
  run('ip', 'link', 'add', line, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  run('ip', 'link', 'set', line, 'master', 'bridge', 'up');
  const inside = ['ip', 'netns', 'exec', name];
  run(...inside, 'ip', 'link', 'set', 'lo', 'up');
  run(...inside, 'ip', 'address', 'add', address, 'dev', 'eth0');
  run(...inside, 'ip', 'link', 'set', 'eth0', 'up');
  const pids = () => run('ip', 'netns', 'pids', name).split('\n').filter(Boolean).map(Number);
  const cut = () => void run('ip', 'link', 'set', line, 'down');
  return {
    name,
    prefix: inside,
    cut,
    heal: () => void run('ip', 'link', 'set', line, 'up'),
    async kill() {
      cut();
      for (let found = pids(); found.length > 0; found = pids()) {
        for (const pid of found) end(pid);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    pids,
  };
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function run(...command: string[]): string {
  const [program = '', ...args] = command;
  return execFileSync(program, args, { encoding: 'utf8' });
}
