/**
 * Sees to it that no server outlives the process that started it, however that process ends (`kill -9` too).
 * A small shell, in a session of its own, reads from a pipe which processes run; when the pipe closes, it
 * kills what is left and removes the temporary folders. One guard per process, started with the first server.
 */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Words: `pid N` and `gone N`; `folder PATH` to remove at the end. Ctrl-C is the parent's to handle. */
const script = `
trap '' INT TERM HUP
pids=
while read -r verb what; do
  case $verb in
    pid) pids="$pids $what" ;;
    gone)
      left=
      for one in $pids; do [ "$one" = "$what" ] || left="$left $one"; done
      pids=$left ;;
    folder) set -- "$@" "$what" ;;
  esac
done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
for try in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf -- "$@" 2>/dev/null && break
  sleep 0.2
done
`;

let pipe: Writable | undefined;

function tell(line: string): void {
  if (pipe === undefined) {
    const guard = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    guard.on('error', (error) => {
      throw new Error(`no server can be started without sh: ${error.message}`);
    });
    // a test ends when it has nothing left to do, whether or not it stopped its servers
    guard.unref();
    pipe = guard.stdin;
    pipe.on('error', () => undefined);
    (pipe as Writable & { unref(): void }).unref();
  }
  pipe.write(`${line}\n`);
}

export function killAtEnd(pid: number): void {
  tell(`pid ${pid}`);
}

export function hasEnded(pid: number): void {
  tell(`gone ${pid}`);
}

export function removeAtEnd(folder: string): void {
  tell(`folder ${folder}`);
}
