import { type ChildProcess, spawn } from 'node:child_process';

/** Ends the process groups of a session whose own process has gone without a word. */
export interface Watchdog {
  guard(pid: number): void;
  release(pid: number): void;
  /** Ends all that are still guarded, as if this process had gone. */
  close(): void;
}

/**
 * Reads `+ PID` and `- PID`. Its input ends with this process, however that ends, SIGKILL included: then what is left is
 * told to end, and killed a second later. A shell, because a second Node would cost some 40 MB.
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

/** Windows has neither groups nor this shell: there a server ends with its input, or by the next session's sweep. */
export function createWatchdog(): Watchdog {
  if (process.platform === 'win32') return { guard() {}, release() {}, close() {} };
  let dog: ChildProcess | undefined;

  function tell(line: string): void {
    if (!dog) {
      // A session of its own, so that what ends this process's group does not end it first.
      dog = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} });
      dog.on('error', () => {});
      dog.stdin?.on('error', () => {});
      dog.unref();
    }
    dog.stdin?.write(line);
  }

  return {
    guard: (pid) => tell(`+ ${pid}\n`),
    release(pid) {
      if (dog) tell(`- ${pid}\n`);
    },
    close() {
      dog?.stdin?.end();
      dog = undefined;
    },
  };
}
