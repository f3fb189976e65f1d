import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../options.ts';
import { type PlanFlags, planAbout, planDefaults, readPlanFlags } from './plan-flags.ts';

const flags = (changes: Partial<PlanFlags> = {}): PlanFlags => ({ ...planDefaults, ...changes });
const problemsOf = (changes: Partial<PlanFlags>): string[] => {
  try {
    readPlanFlags(flags(changes));
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
};

test('one number of sockets is one site without limits', () => {
  assert.deepEqual(readPlanFlags(flags({ sockets: '5000' })).sites, [
    { name: 'here', sockets: 5_000, ingressMbps: null, egressMbps: null },
  ]);
});

test('sites carry their limits, each of which may be left out', () => {
  const site = ['eu:600000:2000:20000', 'us:300000::8000', 'ap:1:9', 'sa:0'];
  assert.deepEqual(readPlanFlags(flags({ site })).sites, [
    { name: 'eu', sockets: 600_000, ingressMbps: 2_000, egressMbps: 20_000 },
    { name: 'us', sockets: 300_000, ingressMbps: null, egressMbps: 8_000 },
    { name: 'ap', sockets: 1, ingressMbps: 9, egressMbps: null },
    { name: 'sa', sockets: 0, ingressMbps: null, egressMbps: null },
  ]);
});

test('what is wrong is said in sentences, all of it', () => {
  assert.deepEqual(problemsOf({}), ['no sites: give --sockets N, or --site NAME:SOCKETS once for each site']);
  assert.deepEqual(problemsOf({ sockets: '-1', contests: 'x', utilization: '1.5', replicas: '2.5' }), [
    '--sockets: "-1" is not a whole number from 0 to 1000000000',
    '--contests: "x" is not a whole number from 0 to 1000000',
    '--utilization: "1.5" is not a number from 0.05 to 0.95',
    '--replicas: "2.5" is not a whole number from 1 to 16',
    '--contests-per-socket: a socket cannot watch 1 of 0 contests',
  ]);
  assert.deepEqual(problemsOf({ site: ['a b:1', 'x:1e3', 'y:5:0', 'y:1:1:1:1'], sockets: '4' }), [
    '--sockets and --site exclude one another: give one',
    '--site a b:1: it is not NAME:SOCKETS[:INGRESS_MBPS[:EGRESS_MBPS]]',
    '--site x:1e3: sockets: "1e3" is not a whole number from 0 to 1000000000',
    '--site y:5:0: ingress: "0" is not a whole number from 1 to 100000000',
    '--site y:1:1:1:1: it is not NAME:SOCKETS[:INGRESS_MBPS[:EGRESS_MBPS]]',
    '--site: y is there twice',
  ]);
  const many = Array.from({ length: 101 }, (_, no) => `s${no}:1`);
  assert.deepEqual(problemsOf({ site: many }), ['--site: 101 sites are more than 100']);
});

test('every option has a default that will do, and a word on what it is', () => {
  assert.deepEqual(Object.keys(planAbout), Object.keys(planDefaults));
  assert.equal(problemsOf({ sockets: '1' }).length, 0);
});
