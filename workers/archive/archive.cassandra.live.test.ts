import { archiveConformance } from './archive.conformance.ts';
import { openKeyspace } from './keyspace.conformance.ts';

const address = process.env['RANKCAST_TEST_CASSANDRA'] ?? '127.0.0.1:19042';

archiveConformance('Cassandra', {
  async open() {
    const keyspace = openKeyspace(address);
    return {
      archive: keyspace.open(),
      reopen: () => keyspace.reopen(),
      close: () => keyspace.drop(),
    };
  },
});
