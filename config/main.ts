#!/usr/bin/env node
/**
 * The command line `rankcast`. Errors go to stderr in a sentence. Exit codes: 0 done; 1 failed while running;
 * 2 the command or its options are wrong; 3 what it needs cannot be reached.
 */
import { Command, CommanderError, Option } from 'commander';
import { exitCodeOf, exitCodes } from './commands/command-error.ts';
import { loadDefaults } from './commands/load-flags.ts';
import { planAbout, planDefaults, planFlagOf } from './commands/plan-flags.ts';
import type { OptionSpec } from './option-schemas.ts';
import { ConfigError, flagOf, type OptionName, optionTable } from './options.ts';

const program = new Command('rankcast')
  .description('Live leaderboards, every viewer’s own exact rank, and follower feeds over WebSockets.')
  .version('0.1.0')
  .exitOverride()
  .configureOutput({ writeErr: (text) => process.stderr.write(text) });

function withOptions(command: Command): Command {
  command.option('--config <file>', 'JSON file of options (RANKCAST_CONFIG)');
  for (const [name, spec] of Object.entries(optionTable) as [OptionName, OptionSpec][]) {
    command.addOption(new Option(`${flagOf(name)} <value>`, spec.about));
  }
  return command;
}

withOptions(program.command('all'))
  .description('everything in one process, on the embedded engines')
  .action(async (flags) => {
    const { serve } = await import('./commands/serve.ts');
    await serve(flags, { edge: true, workers: ['ranker', 'graph', 'followers', 'archive'] });
  });

withOptions(program.command('edge'))
  .description('an edge: sockets and HTTP')
  .action(async (flags) => {
    const { serve } = await import('./commands/serve.ts');
    await serve(flags, { edge: true, workers: [] });
  });

withOptions(program.command('worker'))
  .argument('[roles...]', 'ranker, graph, followers, archive; none: all')
  .description('workers: what consumes the log')
  .action(async (roles: string[], flags) => {
    const { serve, workerRoles } = await import('./commands/serve.ts');
    await serve(flags, { edge: false, workers: workerRoles(roles) });
  });

withOptions(program.command('check-config'))
  .description('reads and checks the options as `all` would, and prints them without secrets')
  .action(async (flags) => {
    const { checkConfig } = await import('./commands/check-config.ts');
    checkConfig(flags);
  });

program
  .command('adapter')
  .description('prints which socket library loads here: uws or ws')
  .action(async () => {
    const { printAdapter } = await import('./commands/check-config.ts');
    await printAdapter();
  });

program
  .command('token')
  .description('prints a token of a user (HS256), nothing else')
  .requiredOption('--user <id>', 'user id')
  .option('--token-secret <secret>', 'shared secret (RANKCAST_TOKEN_SECRET)')
  .option('--ttl-s <seconds>', 'seconds the token lives', '3600')
  .action(async (flags) => {
    const { token } = await import('./commands/token.ts');
    await token(flags);
  });

program
  .command('replay')
  .argument('<file>', 'ball-by-ball match file (Cricsheet JSON)')
  .description('a real match, ball by ball, into the log')
  .option('--url <url>', 'the edge', 'http://127.0.0.1:8080')
  .option('--api-key <key>', 'a back end’s key (RANKCAST_API_KEY)')
  .option('--match <id>', 'match id to use', 'm1')
  .option('--speed <number>', 'deliveries a second; 0: as fast as it goes', '1')
  .option('--no-final', 'leaves the match open at its end')
  .action(async (file: string, flags) => {
    const { replay } = await import('./commands/replay.ts');
    await replay(file, flags);
  });

program
  .command('watch')
  .argument('<channels...>', 'contest:<id>, match:<id>, feed:<user>, user:<user>')
  .description('subscribes as a client would and prints each frame as a line of JSON')
  .option('--url <url>', 'the edge', 'http://127.0.0.1:8080')
  .option('--token <token>', 'token of the user (RANKCAST_TOKEN)')
  .option('--frames <number>', 'ends after so many frames')
  .action(async (channels: string[], flags) => {
    const { watch } = await import('./commands/watch.ts');
    await watch(channels, flags);
  });

program
  .command('load')
  .argument(
    '[channels...]',
    'contest:<id>, match:<id> to watch; none: makes rooms of its own (needs an API key)',
  )
  .description('simulated viewers over real sockets, and how long everything took')
  .option('--url <url>', 'the edge', 'http://127.0.0.1:8080')
  .option('--token-secret <secret>', 'shared secret to make tokens with (RANKCAST_TOKEN_SECRET)')
  .option('--api-key <key>', 'a back end’s key (RANKCAST_API_KEY)')
  .option('--viewers <number>', 'sockets to open', loadDefaults.viewers)
  .option('--connects-per-s <number>', 'ramp-up: sockets opened a second', loadDefaults.connectsPerS)
  .option('--rooms <number>', 'rooms to make where none is named', loadDefaults.rooms)
  .option('--rooms-per-viewer <number>', 'rooms that each viewer watches', loadDefaults.roomsPerViewer)
  .option('--events <number>', 'scores a second into own rooms', loadDefaults.events)
  .option('--follows <number>', 'follows a second among the viewers', loadDefaults.follows)
  .option('--duration-s <seconds>', 'goes on so long after the ramp-up', loadDefaults.durationS)
  .option('--user <pattern>', 'users’ ids; # is the viewer’s number, from 1', loadDefaults.user)
  .option('--seed <number>', 'of everything that is drawn at random')
  .option('--json', 'prints the report as one JSON object')
  .action(async (channels: string[], flags) => {
    const { load } = await import('./commands/load.ts');
    await load(channels, flags);
  });

const planCommand = program
  .command('plan')
  .description('what a load takes: edges, traffic of each site, Redis, Kafka, rankers, and what may be lost')
  .option('--sockets <number>', 'sockets, all at one site')
  .option(
    '--site <name:sockets:in:out>',
    'a site, its sockets, and its limits in Mbit/s; again for each; the first holds the workers',
    (text: string, before: string[]) => [...before, text],
    [] as string[],
  );
for (const name of Object.keys(planDefaults) as (keyof typeof planDefaults)[]) {
  planCommand.option(`${planFlagOf(name)} <number>`, planAbout[name], planDefaults[name]);
}
planCommand.option('--json', 'prints input and plan as one JSON object').action(async (flags) => {
  const { plan } = await import('./commands/plan.ts');
  plan(flags);
});

withOptions(program.command('repair'))
  .description('rebuilds a user’s followers and following from the graph')
  .requiredOption('--user <id>', 'user id')
  .action(async (flags) => {
    const { repair } = await import('./commands/repair.ts');
    await repair(flags);
  });

try {
  await program.parseAsync(process.argv);
} catch (error) {
  // One of an edge's processes would wait for its supervisor's word.
  if (process.connected) process.disconnect();
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
  } else if (error instanceof ConfigError) {
    for (const problem of error.problems) process.stderr.write(`rankcast: ${problem}\n`);
    process.exitCode = exitCodes.usage;
  } else {
    process.stderr.write(`rankcast: ${(error as Error).message}\n`);
    // At once: what goes on trying to connect must not keep a process that has failed.
    process.exit(exitCodeOf(error));
  }
}
