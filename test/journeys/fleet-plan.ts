import type { FleetPlan } from './fleet.ts';

/** What the live journeys run: two of what may be many. */
export const fleetPlan: Omit<FleetPlan, 'servers'> = {
  edges: 2,
  rankers: 2,
  graphs: 1,
  followers: 2,
  flags: [
    ...['--tick-ms', '5', '--order-interval-ms', '0', '--requests-per-second', '1000000'],
    ...['--upgrades-per-address', '10000', '--checkpoint-interval-ms', '1000'],
  ],
};
