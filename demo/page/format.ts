/** Numbers, names and times as the page writes them. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const halves = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

export function count(value: number): string {
  return whole.format(value);
}

export function points(value: number): string {
  return halves.format(value);
}

/** One decimal, but never 100 for what is less. */
export function percent(value: number): string {
  return value >= 100 ? '100' : Math.min(99.9, value).toFixed(1);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `1:05` */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** `amber-heron-k3f9` is Amber Heron; the fans of the graph are numbers. */
export function userName(user: string): string {
  const words = /^([a-z]+)-([a-z]+)-[a-z0-9]+$/.exec(user);
  if (words !== null) return `${capital(words[1] ?? '')} ${capital(words[2] ?? '')}`;
  return `Fan ${user}`;
}

export function monogram(user: string): string {
  const words = userName(user).split(' ');
  if (words[0] === 'Fan') return user.replace(/\D/g, '').slice(-2);
  return words.map((word) => word.charAt(0)).join('');
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
