import { ServiceError } from '../../proto/codes.ts';
import { type ArchivedVersion, type ArchivePages, archivePageBytesMax } from './archive.ts';

/** The pages as they come, each with its number; throws where they are not what the board says ([ARCH-7]). */
export async function* checkedPages(
  board: ArchivedVersion,
  pages: ArchivePages,
): AsyncGenerator<{ page: number; bytes: Uint8Array }> {
  let page = 0;
  for await (const bytes of pages) {
    if (page === board.pages) throw refusal(board, `there are more than ${board.pages} pages`);
    if (bytes.length > archivePageBytesMax) {
      throw refusal(board, `page ${page} is longer than ${archivePageBytesMax} bytes`);
    }
    yield { page, bytes };
    page += 1;
  }
  if (page < board.pages) throw refusal(board, `${board.pages} pages were told of, ${page} came`);
}

function refusal({ contest, version }: ArchivedVersion, why: string): ServiceError {
  return new ServiceError(`Version ${version} of contest ${contest} cannot be archived: ${why}.`, false);
}
