import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withApi } from './api-harness.conformance.ts';

test('a fault of ours is `internal` without its details, and the next request is answered', () =>
  withApi(
    async ({ ask }) => {
      const { status, body } = await ask('GET', '/a-file');
      assert.equal(status, 500);
      const { error } = body as { error: { code: string; message: string } };
      assert.equal(error.code, 'internal');
      assert.doesNotMatch(error.message, /secret detail/);
      assert.equal((await ask('GET', '/v1/users/u1/counts')).status, 200);
    },
    {},
    {
      fallback: () => {
        throw new Error('secret detail');
      },
    },
  ));
