/** How smooth the page is: frames by requestAnimationFrame, long tasks by PerformanceObserver. */
import type { Page } from 'playwright-core';

export interface Smoothness {
  seconds: number;
  frames: number;
  /** Between two frames, in ms. */
  frameMs: { p50: number; p95: number; p99: number; max: number };
  /** Tasks of the page of more than 50 ms. */
  longTasks: number;
  longestTaskMs: number;
  /** Share of the time within long tasks, in percent. */
  longTaskPercent: number;
  /** Processor time of the page's thread: all of it, scripts, styles and layout; in ms a second. */
  threadMsPerS: { all: number; script: number; style: number; layout: number };
}

export async function measure(page: Page, seconds: number): Promise<Smoothness> {
  const cpu = await page.context().newCDPSession(page);
  await cpu.send('Performance.enable', { timeDomain: 'threadTicks' });
  const before = metricsOf(await cpu.send('Performance.getMetrics'));
  const { gaps, tasks } = await page.evaluate(watchFrames, seconds * 1_000);
  const after = metricsOf(await cpu.send('Performance.getMetrics'));
  await cpu.detach();
  const spent = (name: string): number => {
    return rounded((1_000 * ((after.get(name) ?? 0) - (before.get(name) ?? 0))) / seconds);
  };
  const sorted = gaps.sort((a, b) => a - b);
  const at = (part: number): number => rounded(sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
  const long = tasks.reduce((sum, ms) => sum + ms, 0);
  return {
    seconds,
    frames: gaps.length,
    frameMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
    longTasks: tasks.length,
    longestTaskMs: rounded(Math.max(0, ...tasks)),
    longTaskPercent: rounded((100 * long) / (seconds * 1_000)),
    threadMsPerS: {
      all: spent('TaskDuration'),
      script: spent('ScriptDuration'),
      style: spent('RecalcStyleDuration'),
      layout: spent('LayoutDuration'),
    },
  };
}

function metricsOf({ metrics }: { metrics: { name: string; value: number }[] }): Map<string, number> {
  return new Map(metrics.map(({ name, value }) => [name, value]));
}

/** Runs in the page. */
async function watchFrames(ms: number): Promise<{ gaps: number[]; tasks: number[] }> {
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) tasks.push(entry.duration);
  });
  observer.observe({ entryTypes: ['longtask'] });
  const gaps: number[] = [];
  await new Promise<void>((resolve) => {
    const begun = performance.now();
    let last = begun;
    const step = (now: number): void => {
      if (now > last) gaps.push(now - last);
      last = now;
      if (now - begun < ms) requestAnimationFrame(step);
      else resolve();
    };
    requestAnimationFrame(step);
  });
  observer.disconnect();
  return { gaps, tasks };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
