import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel says of another process: Linux only. */

/** ms of processor time of all threads of the process since it began. */
export function cpuMsOf(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) ns += threadNs(pid, thread);
  return ns / 1e6;
}

/** A thread that ends meanwhile counts as nothing. */
function threadNs(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** Bytes of the process's own memory that are resident: not files, nothing of the kernel. */
export function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

/** How many files a process started here may open. */
export function openFilesMax(): number {
  const text = readFileSync('/proc/self/limits', 'utf8');
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(text)?.[1] ?? 1_024);
}
