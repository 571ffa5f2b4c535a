"""Whatever changes under a figure writes that it did, whoever writes: one row a statement and
deployment, or a frame that was read. Figures of what is there already are owed."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# Statement triggers see all rows of a statement at once: a card of thousands is one Change.
FORWARDS = """
CREATE FUNCTION lacs_figures_frames() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO dashboards_change (deployment_id, at)
        SELECT DISTINCT v.deployment_id, now()
        FROM old_rows o JOIN new_rows n ON n.id = o.id
        CROSS JOIN LATERAL (VALUES (o.deployment_id), (n.deployment_id)) AS v(deployment_id)
        WHERE (o.deployment_id, o.captured_at, o.flag, o.rank)
            IS DISTINCT FROM (n.deployment_id, n.captured_at, n.flag, n.rank);
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO dashboards_change (deployment_id, at)
        SELECT DISTINCT deployment_id, now() FROM new_rows WHERE captured_at IS NOT NULL;
    ELSE
        INSERT INTO dashboards_change (deployment_id, at)
        SELECT DISTINCT o.deployment_id, now() FROM old_rows o
        WHERE EXISTS (SELECT 1 FROM detection_deployment d WHERE d.id = o.deployment_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER figures_frame_inserted AFTER INSERT ON detection_frame
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_frames();
CREATE TRIGGER figures_frame_updated AFTER UPDATE ON detection_frame
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_frames();
CREATE TRIGGER figures_frame_deleted AFTER DELETE ON detection_frame
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_frames();

CREATE FUNCTION lacs_figures_examined() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_change (deployment_id, at)
    SELECT DISTINCT f.deployment_id, now()
    FROM new_rows r JOIN detection_frame f ON f.id = r.frame_id WHERE r.state = 'done';
    RETURN NULL;
END $$;
CREATE TRIGGER figures_run_frame_inserted AFTER INSERT ON detection_runframe
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_examined();
CREATE TRIGGER figures_run_frame_updated AFTER UPDATE ON detection_runframe
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_examined();

CREATE FUNCTION lacs_figures_weighed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_change (deployment_id, at)
    SELECT DISTINCT f.deployment_id, now()
    FROM weighed w JOIN detection_detection m ON m.id = w.detection_id
    JOIN detection_frame f ON f.id = m.frame_id;
    RETURN NULL;
END $$;
CREATE TRIGGER figures_suppressed AFTER INSERT ON detection_suppression
    REFERENCING NEW TABLE AS weighed FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_weighed();
CREATE TRIGGER figures_not_suppressed AFTER DELETE ON detection_suppression
    REFERENCING OLD TABLE AS weighed FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_weighed();

CREATE FUNCTION lacs_figures_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_change (deployment_id, instant, at)
    SELECT f.deployment_id, f.captured_at, now()
    FROM changed s JOIN detection_frame f ON f.id = s.frame_id WHERE f.captured_at IS NOT NULL;
    RETURN NULL;
END $$;
CREATE FUNCTION lacs_figures_picked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A frame chosen by hand leaves the sampled population, and its strata may be other ones.
    INSERT INTO dashboards_change (deployment_id, at)
    SELECT DISTINCT f.deployment_id, now()
    FROM changed v JOIN detection_frame f ON f.id = v.frame_id WHERE v.picked;
    RETURN NULL;
END $$;
CREATE TRIGGER figures_picked AFTER INSERT ON annotation_review
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_picked();
CREATE TRIGGER figures_reviewed AFTER INSERT ON annotation_review
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_read();
CREATE TRIGGER figures_settled AFTER INSERT ON annotation_settledframe
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_read();
CREATE TRIGGER figures_settled_anew AFTER UPDATE ON annotation_settledframe
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_read();
CREATE TRIGGER figures_unsettled AFTER DELETE ON annotation_settledframe
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_read();

CREATE FUNCTION lacs_figures_placed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_change (deployment_id, at)
    SELECT n.id, now() FROM old_rows o JOIN new_rows n ON n.id = o.id
    WHERE (o.lake_id, o.interval_seconds) IS DISTINCT FROM (n.lake_id, n.interval_seconds);
    RETURN NULL;
END $$;
CREATE TRIGGER figures_deployment_updated AFTER UPDATE ON detection_deployment
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_placed();

CREATE FUNCTION lacs_figures_zoned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_change (deployment_id, at)
    SELECT d.id, now() FROM old_rows o JOIN new_rows n ON n.id = o.id
    JOIN detection_deployment d ON d.lake_id = n.id
    WHERE o.time_zone IS DISTINCT FROM n.time_zone;
    RETURN NULL;
END $$;
CREATE TRIGGER figures_lake_updated AFTER UPDATE ON lacs_web_lake
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_zoned();

INSERT INTO dashboards_change (deployment_id, at)
SELECT d.id, now() FROM detection_deployment d
WHERE EXISTS (SELECT 1 FROM detection_frame f WHERE f.deployment_id = d.id);
"""
BACKWARDS = """
DROP TRIGGER figures_lake_updated ON lacs_web_lake;
DROP TRIGGER figures_deployment_updated ON detection_deployment;
DROP TRIGGER figures_unsettled ON annotation_settledframe;
DROP TRIGGER figures_settled_anew ON annotation_settledframe;
DROP TRIGGER figures_settled ON annotation_settledframe;
DROP TRIGGER figures_picked ON annotation_review;
DROP TRIGGER figures_reviewed ON annotation_review;
DROP TRIGGER figures_not_suppressed ON detection_suppression;
DROP TRIGGER figures_suppressed ON detection_suppression;
DROP TRIGGER figures_run_frame_updated ON detection_runframe;
DROP TRIGGER figures_run_frame_inserted ON detection_runframe;
DROP TRIGGER figures_frame_deleted ON detection_frame;
DROP TRIGGER figures_frame_updated ON detection_frame;
DROP TRIGGER figures_frame_inserted ON detection_frame;
DROP FUNCTION lacs_figures_zoned(), lacs_figures_placed(), lacs_figures_picked(), lacs_figures_read(),
    lacs_figures_weighed(), lacs_figures_examined(), lacs_figures_frames();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("dashboards", "0001_figures_by_day"),
        ("annotation", "0005_turns_and_plans"),
        ("detection", "0007_deployments_since_1990"),
        ("lacs_web", "0001_initial"),
    ]

    operations: ClassVar = [migrations.RunSQL(FORWARDS, BACKWARDS)]
