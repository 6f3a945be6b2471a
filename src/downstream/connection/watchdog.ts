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
  const guarded = new Set<number>();
  let dog: ChildProcess | undefined;
  let again: NodeJS.Timeout | undefined;

  function start(): ChildProcess {
    // In a session of its own, so that what ends this process's group does not end the watchdog first.
    const started = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} });
    started.on('error', () => {});
    started.stdin?.on('error', () => {});
    started.once('exit', () => replace(started));
    started.unref();
    for (const pid of guarded) started.stdin?.write(`+ ${pid}\n`);
    return started;
  }

  /** Starts another in the place of one that was killed, after a pause, in case that it ends at once. */
  function replace(ended: ChildProcess): void {
    if (dog !== ended) return;
    dog = undefined;
    again = setTimeout(() => {
      if (guarded.size > 0) dog ??= start();
    }, pauseMs).unref();
  }

  return {
    guard(pid) {
      guarded.add(pid);
      if (dog) dog.stdin?.write(`+ ${pid}\n`);
      else dog = start();
    },
    release(pid) {
      guarded.delete(pid);
      dog?.stdin?.write(`- ${pid}\n`);
    },
    close() {
      clearTimeout(again);
      // One that was killed a moment ago has not ended its groups.
      if (!dog && guarded.size > 0) dog = start();
      const [closing, groups] = [dog, [...guarded]];
      guarded.clear();
      dog = undefined;
      closing?.stdin?.end();
      // Its exit may not have been reported yet.
      closing?.once('exit', (_, signal) => {
        if (signal === null) return;
        for (const pid of groups) guarded.add(pid);
        this.close();
      });
    },
  };
}

/** Between the end of a watchdog and the start of the next. */
const pauseMs = 200;

/** Signals a process and its whole group. The system does not reuse a group's number while a member lives. */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined || pid <= 1) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // No process of the group is left.
  }
}
