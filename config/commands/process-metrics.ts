import { AggregatorRegistry, type Registry } from 'prom-client';
import type { ProcessMetrics } from './supervised.ts';

/**
 * Metrics of several processes as those of one: counters, histograms and gauges are summed, but for those
 * that say otherwise (`aggregator`). What processes that have ended had counted stays counted: a total that
 * fell would look as if it had begun anew, with everything in it counted twice.
 */
export class ProcessTotals {
  /** By process: what it last said. */
  private readonly last = new Map<number, ProcessMetrics>();
  private ended: ProcessMetrics = [];
  /** Ends are added one after another: each to the sum of all before. */
  private adding: Promise<void> = Promise.resolve();

  said(process: number, metrics: ProcessMetrics): void {
    this.last.set(process, metrics);
  }

  hasEnded(process: number): Promise<void> {
    const added = this.adding.then(() => this.add(process));
    this.adding = added.catch(() => {});
    return added;
  }

  private async add(process: number): Promise<void> {
    const metrics = this.last.get(process) ?? [];
    const counts = metrics.filter(({ type }) => isCount(String(type)));
    const together = AggregatorRegistry.aggregate([this.ended, counts]);
    this.ended = (await together.getMetricsAsJSON()) as ProcessMetrics;
    // In the same turn: whoever asks finds its counts here or there.
    this.last.delete(process);
  }

  /** With those of the supervisor's own. */
  async text(own: Registry): Promise<string> {
    const all = [...this.last.values(), this.ended, await own.getMetricsAsJSON()];
    return AggregatorRegistry.aggregate(all.filter((metrics) => metrics.length > 0)).metrics();
  }
}

function isCount(type: string): boolean {
  return type === 'counter' || type === 'histogram' || type === 'summary';
}
