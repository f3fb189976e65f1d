import { sharedCassandra } from '../../test/services/shared.ts';
import { archiveConformance } from './archive.conformance.ts';
import { openKeyspace } from './keyspace.conformance.ts';

archiveConformance('Cassandra', {
  async open() {
    const keyspace = openKeyspace(await sharedCassandra());
    return {
      archive: keyspace.open(),
      reopen: () => keyspace.reopen(),
      close: () => keyspace.drop(),
    };
  },
});
