import { type ChildProcess, spawn } from 'node:child_process';

/** Ends the process groups of this session if this process dies without doing so itself. */
export interface Watchdog {
  guard(pid: number): void;
  release(pid: number): void;
  /** Ends all groups that are still guarded, as if this process had died. */
  close(): void;
}

/**
 * Reads `+ PID` and `- PID`. Its input ends when this process does, in whatever way, SIGKILL included. It then sends
 * SIGTERM to the groups that are left, and SIGKILL a second later. It is a shell because a second Node costs some 40 MB.
 */
const script = `
groups=' '
while read -r sign pid; do
  case $sign in
    +) groups="$groups$pid " ;;
    -) case $groups in *" $pid "*) groups="\${groups%% $pid *} \${groups#* $pid }" ;; esac ;;
  esac
done
for pid in $groups; do kill -TERM "-$pid"; done
[ "$groups" = "\${groups# *[0-9]}" ] && exit
sleep 1
for pid in $groups; do kill -KILL "-$pid"; done
`;

/** Windows has neither groups nor this shell. There a server ends with its input, or by the next session's sweep. */
export function createWatchdog(): Watchdog {
  if (process.platform === 'win32') return { guard() {}, release() {}, close() {} };
  let dog: ChildProcess | undefined;

  function write(line: string): void {
    if (!dog) {
      // In a session of its own, so that what ends this process's group does not end the watchdog first.
      dog = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} });
      dog.on('error', () => {});
      dog.stdin?.on('error', () => {});
      dog.unref();
    }
    dog.stdin?.write(line);
  }

  return {
    guard: (pid) => write(`+ ${pid}\n`),
    release(pid) {
      if (dog) write(`- ${pid}\n`);
    },
    close() {
      dog?.stdin?.end();
      dog = undefined;
    },
  };
}

/** Signals a process and its whole group. The system does not reuse a group's number while a member lives. */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined || pid <= 1) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // No process of the group is left.
  }
}
