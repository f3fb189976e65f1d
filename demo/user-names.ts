/** Ids of the demo's users that read as names: `amber-heron-k3f9`. */
import type { Random } from './random.ts';

const colours = (
  'amber ash azure bronze cedar chalk cobalt copper coral cream dusky flax flint gilded golden ' +
  'hazel indigo ivory jade lilac maple misty moss ochre olive onyx opal pale pearl plum rosy ruby ' +
  'rust saffron sandy scarlet silver slate tawny teal umber violet white'
).split(' ');
const birds = (
  'avocet bittern bulbul bunting chough coot crane curlew dipper dove drongo dunlin egret falcon ' +
  'finch godwit grebe harrier hawk heron hoopoe ibis jay kestrel kingfisher kite koel lapwing lark ' +
  'linnet merlin myna oriole osprey owl petrel pipit plover quail raven robin rook shrike siskin ' +
  'skylark snipe starling stork swallow swift teal tern thrush wagtail warbler wren'
).split(' ');

export function newUserId(random: Random): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] as string;
  const mark = Math.floor(random() * 36 ** 4)
    .toString(36)
    .padStart(4, '0');
  return `${pick(colours)}-${pick(birds)}-${mark}`;
}
