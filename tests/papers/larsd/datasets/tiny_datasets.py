"""Writers of tiny datasets: a grey image and an annotation for each name."""

import cv2
import numpy as np

HRSC_OBJECT = """<HRSC_Object><Class_ID>{class_id}</Class_ID><difficult>{difficult}</difficult>
<mbox_cx>{0}</mbox_cx><mbox_cy>{1}</mbox_cy><mbox_w>{2}</mbox_w><mbox_h>{3}</mbox_h><mbox_ang>{4}</mbox_ang>
</HRSC_Object>"""
SSDD_OBJECT = """<object><name>{name}</name><difficult>{difficult}</difficult><rotated_bndbox>
<rotated_bbox_cx>{0}</rotated_bbox_cx><rotated_bbox_cy>{1}</rotated_bbox_cy><rotated_bbox_w>{2}</rotated_bbox_w>
<rotated_bbox_h>{3}</rotated_bbox_h><rotated_bbox_theta>{4}</rotated_bbox_theta></rotated_bndbox></object>"""


def write_image(path, height=48, width=64):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def hrsc_xml(boxes=((30, 20, 24, 8, 0.3),), class_id=100000001, difficult=0, width=64, height=48, annotated=1):
    objects = "".join(HRSC_OBJECT.format(*box, class_id=class_id, difficult=difficult) for box in boxes)
    return (
        f"<HRSC_Image><Img_SizeWidth>{width}</Img_SizeWidth><Img_SizeHeight>{height}</Img_SizeHeight>"
        f"<Annotated>{annotated}</Annotated><HRSC_Objects>{objects}</HRSC_Objects></HRSC_Image>"
    )


def ssdd_xml(boxes=((30, 20, 8, 24, 60.0),), name="ship", difficult=0, width=64, height=48):
    objects = "".join(SSDD_OBJECT.format(*box, name=name, difficult=difficult) for box in boxes)
    return f"<annotation><size><width>{width}</width><height>{height}</height></size>{objects}</annotation>"
