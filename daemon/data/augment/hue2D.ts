/**
 * Shifts the hues of an image, in place, through PIL's conversion to 8-bit HSV in single precision (so even a shift of 0 loses a
 * little). `pixels`: RGB [.., 3], 8 bit; `shift` in full circles, −0.5–0.5.
 */
export function adjustHue(pixels: Uint8Array, shift: number): void {
  const steps = Math.trunc(shift * 255) & 255;
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i]!;
    const green = pixels[i + 1]!;
    const blue = pixels[i + 2]!;
    const value = Math.max(red, green, blue);
    const chroma = value - Math.min(red, green, blue);
    if (chroma === 0) continue; // grey has no hue to shift
    const saturation = Math.trunc(Math.fround(chroma / value) * 255);
    if (saturation === 0) {
      pixels[i] = value;
      pixels[i + 1] = value;
      pixels[i + 2] = value;
      continue;
    }
    fromHsv(pixels, i, (hueOf(red, green, blue, value, chroma) + steps) & 255, saturation, value);
  }
}

/** 0–255 for the full circle, from red by green and blue. */
function hueOf(red: number, green: number, blue: number, value: number, chroma: number): number {
  const toRed = Math.fround((value - red) / chroma);
  const toGreen = Math.fround((value - green) / chroma);
  const toBlue = Math.fround((value - blue) / chroma);
  let sixths: number;
  if (red === value) sixths = toBlue - toGreen;
  else if (green === value) sixths = 2 + toRed - toBlue;
  else sixths = 4 + toGreen - toRed;
  const turns = Math.fround((Math.fround(sixths) / 6 + 1) % 1);
  return Math.trunc(turns * 255);
}

function fromHsv(pixels: Uint8Array, at: number, hue: number, saturation: number, value: number): void {
  const position = (hue * 6) / 255;
  const sector = Math.floor(position);
  const fraction = Math.fround(position - sector);
  const share = Math.fround(saturation / 255);
  const low = Math.round(value * (1 - share));
  const falling = Math.round(value * (1 - share * fraction));
  const rising = Math.round(value * (1 - share * (1 - fraction)));
  let red = value;
  let green = value;
  let blue = value;
  switch (sector % 6) {
    case 0:
      green = rising;
      blue = low;
      break;
    case 1:
      red = falling;
      blue = low;
      break;
    case 2:
      red = low;
      blue = rising;
      break;
    case 3:
      red = low;
      green = falling;
      break;
    case 4:
      red = rising;
      green = low;
      break;
    default:
      green = low;
      blue = falling;
  }
  pixels[at] = red;
  pixels[at + 1] = green;
  pixels[at + 2] = blue;
}
