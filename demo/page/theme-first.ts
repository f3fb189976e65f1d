/** Before the first paint: the theme that the reader chose last time. */
const chosen = localStorage.getItem('rankcast.theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen;
