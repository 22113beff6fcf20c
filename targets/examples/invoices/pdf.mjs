/** A PDF file of one page with lines of text, written by hand. */

const escape = (text) => text.replace(/[\\()]/g, '\\$&');

/** `made` is the time of its making and `id` 32 hexadecimal digits; both stand in the file and not on the page. */
export function pdf(title, lines, { made, id }) {
  const text = lines.map((line) => `(${escape(line)}) Tj T*`).join('\n');
  const page = `BT /F1 11 Tf 18 TL 50 780 Td\n${text}\nET`;
  const at = made.toISOString().replace(/[-:T]|\..*/g, '');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${page.length} >>\nstream\n${page}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>',
    `<< /Title (${escape(title)}) /Producer (invoices) /CreationDate (D:${at}Z) >>`,
  ];
  let file = '%PDF-1.4\n';
  const places = objects.map((object, index) => {
    const place = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(place).padStart(10, '0')} 00000 n \n`;
  });
  const size = objects.length + 1;
  const trailer = `<< /Size ${size} /Root 1 0 R /Info 6 0 R /ID [<${id}> <${id}>] >>`;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${places.join('')}`;
  return Buffer.from(`${file}${table}trailer\n${trailer}\nstartxref\n${file.length}\n%%EOF\n`, 'latin1');
}
