import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../channels/clock.ts';
import { openEngines } from './engines.ts';
import { loadOptions } from './load-options.ts';

const secret = 'a secret of at least thirty-two characters';

test('one engine that cannot be closed keeps no other open, and the first fault is told', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'rankcast-engines-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const flags = { data, apiKey: secret, tokenSecret: secret };
  const context = {
    options: loadOptions({ flags, environment: {} }, true),
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  };
  const needs = { graph: true, archive: true, shared: false };
  const engines = await openEngines(context, needs);
  const closed: string[] = [];
  for (const name of ['bus', 'lookup', 'sets', 'pages', 'log', 'graph', 'archive'] as const) {
    const port = engines[name]!;
    const close = port.close.bind(port);
    port.close = async () => {
      closed.push(name);
      await close();
      if (name === 'graph' || name === 'sets') throw new Error(`${name} cannot be closed`);
    };
  }
  await assert.rejects(engines.close(), /graph cannot be closed/);
  assert.deepEqual(closed, ['archive', 'graph', 'log', 'pages', 'sets', 'lookup', 'bus']);
  // The folder is free again.
  const again = await openEngines(context, needs);
  await again.close();
});
