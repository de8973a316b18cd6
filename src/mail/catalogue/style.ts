const font =
  "font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";

/** Inline, because many clients drop style sheets. Text on its ground has a contrast of 4.5:1 or more. */
export const light = {
  page: `margin:0;padding:32px 12px;background:#f4f3ef;color:#23261f;${font};font-size:16px;line-height:1.55`,
  column: 'max-width:560px;margin:0 auto',
  from: 'margin:0 0 14px;padding:0 4px;font-size:15px;font-weight:600;color:#23261f;text-align:start',
  card: 'background:#ffffff;border:1px solid #e2e0d8;border-radius:14px;padding:32px 32px 24px',
  title:
    'margin:0 0 18px;font-size:24px;line-height:1.25;font-weight:650;letter-spacing:-0.01em;color:#14170f;text-align:start;overflow-wrap:anywhere',
  heading: 'margin:28px 0 6px;font-size:16px;line-height:1.4;font-weight:650;color:#14170f;text-align:start',
  text: 'margin:0 0 14px;text-align:start;overflow-wrap:anywhere',
  list: 'margin:0 0 14px;padding-inline-start:22px;text-align:start',
  item: 'margin:0 0 4px;overflow-wrap:anywhere',
  facts: 'width:100%;margin:0 0 18px;border-collapse:collapse',
  label:
    'padding:7px 0;padding-inline-end:16px;width:34%;border-top:1px solid #e9e7e0;text-align:start;vertical-align:top;font-size:15px;font-weight:400;color:#5d6156',
  value:
    'padding:7px 0;border-top:1px solid #e9e7e0;text-align:start;vertical-align:top;font-size:15px;font-variant-numeric:tabular-nums;overflow-wrap:anywhere',
  action: 'margin:24px 0 14px',
  button:
    'display:inline-block;padding:13px 26px;border-radius:9px;background:#1f4d3f;color:#ffffff;font-weight:600;text-decoration:none',
  hint: 'margin:0 0 18px;font-size:13px;line-height:1.5;color:#5d6156;text-align:start',
  link: 'color:#1f4d3f;text-decoration:underline;word-break:break-all',
  footer: 'padding:18px 4px 0',
  foot: 'margin:0 0 4px;font-size:13px;line-height:1.5;color:#5d6156;text-align:start;overflow-wrap:anywhere',
} as const;

export type Part = keyof typeof light;

/** For clients that read style sheets and whose reader prefers dark; !important, to win over what is inline. */
const dark: Partial<Record<Part, string>> = {
  page: 'background:#151712!important;color:#e6e7e0!important',
  from: 'color:#e6e7e0!important',
  card: 'background:#1e211a!important;border-color:#34382e!important',
  title: 'color:#f6f7f1!important',
  heading: 'color:#f6f7f1!important',
  label: 'color:#a9ad9f!important;border-color:#34382e!important',
  value: 'border-color:#34382e!important',
  button: 'background:#a8d8c3!important;color:#10231b!important',
  hint: 'color:#a9ad9f!important',
  link: 'color:#a8d8c3!important',
  foot: 'color:#a9ad9f!important',
};

const rules = Object.entries(dark).map(([part, style]) => `.${part}{${style}}`);

export const darkStyle = `:root{color-scheme:light dark}@media (prefers-color-scheme:dark){${rules.join('')}}@media (max-width:480px){.card{padding:24px 20px 16px!important}}`;
