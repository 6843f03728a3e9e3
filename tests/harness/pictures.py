"""Reads QR codes off pictures with a decoder of others, as a phone does off a screen or paper."""

from __future__ import annotations

import base64

import zxingcpp
from playwright.async_api import Browser

_TO_GREY = """
async (png) => {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const drawn = canvas.getContext("2d");
  drawn.drawImage(picture, 0, 0);
  const { data } = drawn.getImageData(0, 0, picture.width, picture.height);
  let grey = "";
  for (let at = 0; at < data.length; at += 4)
    grey += String.fromCharCode((data[at] + data[at + 1] + data[at + 2]) / 3);
  return [picture.width, picture.height, btoa(grey)];
}
"""


async def codes_on(browser: Browser, png: bytes) -> list[str]:
    """What the QR codes on a picture say, from top to bottom. The browser unpacks the picture, ZXing reads it."""
    page = await browser.new_page()
    width, height, grey = await page.evaluate(_TO_GREY, base64.b64encode(png).decode())
    await page.close()
    pixels = memoryview(base64.b64decode(grey)).cast("B", (height, width))
    found = zxingcpp.read_barcodes(pixels, zxingcpp.BarcodeFormat.QRCode)
    return [each.text for each in sorted(found, key=lambda each: each.position.top_left.y)]
