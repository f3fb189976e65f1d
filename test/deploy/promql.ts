/** As much of PromQL as is needed to see which metrics and labels an expression names. */
export interface Selector {
  metric: string;
  labels: string[];
}
export interface Named {
  selectors: Selector[];
  /** Of `by`, `on` and `without`. */
  grouped: string[];
}

const words = new Set([
  ...['sum', 'min', 'max', 'count', 'avg', 'rate', 'increase', 'resets', 'histogram_quantile', 'time'],
  ...[
    'vector',
    'and',
    'or',
    'unless',
    'on',
    'by',
    'without',
    'ignoring',
    'group_left',
    'bool',
    'label_values',
  ],
]);

export function namedIn(expression: string): Named {
  const grouped: string[] = [];
  const selectors: Selector[] = [];
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g, (_, names: string) => {
      grouped.push(...names.split(',').map((name) => name.trim()));
      return ' ';
    })
    .replace(/\[[^\]]*\]/g, '');
  for (const [, name = '', matchers = ''] of bare.matchAll(
    /(?<![\w.])([a-zA-Z_:][\w:]*)\s*(?:\{([^{}]*)\})?/g,
  )) {
    if (words.has(name)) continue;
    const labels = [...matchers.matchAll(/([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)/g)];
    selectors.push({ metric: name, labels: labels.map(([, label]) => label ?? '') });
  }
  return { selectors, grouped };
}
