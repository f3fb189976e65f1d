/** Light or dark: as the system says, until the reader chooses. Kept for the next visit. */
import { byId, setAttribute } from './element.ts';

const themeKey = 'rankcast.theme';
const systemDark = matchMedia('(prefers-color-scheme: dark)');

function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === undefined ? systemDark.matches : chosen === 'dark';
}

export function startTheme(): void {
  const toggle = byId<HTMLButtonElement>('theme');
  const show = (): void => setAttribute(toggle, 'aria-pressed', String(isDark()));
  toggle.addEventListener('click', () => {
    const next = isDark() ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = next;
    localStorage.setItem(themeKey, next);
    show();
  });
  systemDark.addEventListener('change', show);
  show();
}
